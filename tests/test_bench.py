from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from trackbook.integrations.adapters import ADAPTERS

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def needing_libraries() -> set[str]:
    """The modules that import a training library, which is not here; `make test-trainers` tests them."""
    return {f"trackbook.integrations.{name}" for name in [*ADAPTERS.values(), "accelerate", "transformers"]}


@pytest.mark.parametrize("program", [path.relative_to(BENCHMARKS).as_posix() for path in BENCHMARKS.rglob("*.py")])
def test_what_a_benchmark_takes_of_trackbook_exists(program: str) -> None:
    tree = ast.parse((BENCHMARKS / program).read_text())
    modules: dict[str, ModuleType] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "trackbook":
            if node.module in needing_libraries():
                continue
            parent = importlib.import_module(str(node.module))
            for name in node.names:
                found = getattr(parent, name.name, None) or importlib.import_module(f"{parent.__name__}.{name.name}")
                if isinstance(found, ModuleType):
                    modules[name.asname or name.name] = found
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            assert hasattr(modules[node.value.id], node.attr)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import table

    return table


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import lab

    return lab


def results(**figures: Any) -> dict[str, Any]:
    return {
        "date": "2031-02-03",
        "quick": False,
        "machine": {
            "cpu": "Abacus 9",
            "cores": 2,
            "memory_gb": 8,
            "os": "Linux 9.9",
            "python": "3.11.7",
            "load_before": 0.5,
            "load_after": 1.0,
        },
        "versions": {"trackbook": "0.1", "slowbook": "2.0", "gonebook": None},
        "settings": {"trackbook": "defaults"},
        "problems": ["gonebook cannot be installed here: no wheel"],
        "figures": figures,
    }


def row(table: ModuleType, title: str, found: dict[str, Any]) -> list[str]:
    line = next(line for line in table.table(found).splitlines() if title in line)
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_figure_stands_beside_its_target_and_the_peers_ratio(table: ModuleType) -> None:
    found = results(log={"trackbook": {"p50_us_1": 1.25}, "slowbook": {"p50_us_1": 6.25}})
    assert row(table, "`log` of 1 metric", found)[1:] == [
        "<= 1.5 us, 4x below each peer",
        "met",
        "1.25 us",
        "6.25 us (5.0x)",
    ]


def test_missed_target_is_named(table: ModuleType) -> None:
    found = results(log={"trackbook": {"p50_us_1": 2.0}, "slowbook": {"p50_us_1": 80.0}})
    assert row(table, "`log` of 1 metric", found)[2] == "**missed**"


def test_a_peer_that_is_too_near_is_named(table: ModuleType) -> None:
    found = results(log={"trackbook": {"p50_us_1": 1.0}, "slowbook": {"p50_us_1": 2.5}})
    assert row(table, "`log` of 1 metric", found)[2] == "**missed**: 2.5x slowbook"


def test_larger_is_better_for_rates(table: ModuleType) -> None:
    found = results(million={"trackbook": {"points_per_s_10": 2.5e6}})
    assert row(table, "points to disk", found)[1:4] == [">= 1.00 M/s", "met", "2.50 M/s"]


def test_lost_points_have_no_ratio(table: ModuleType) -> None:
    found = results(sigterm={"trackbook": {"percent": 100.0}, "slowbook": {"percent": 50.0}})
    assert row(table, "SIGTERM", found)[1:] == ["100%", "met", "100.0%", "50.0%"]


def test_a_crash_and_a_reckoned_figure_are_marked(table: ModuleType) -> None:
    found = results(bulk={"trackbook": {"error": "ended with 1"}, "slowbook": {"seconds": 90.0, "reckoned": 1}})
    assert row(table, "100k calls", found)[3:] == ["failed", "~90 s"]


def test_a_target_without_a_figure_is_not_met(table: ModuleType) -> None:
    found = results(export={"trackbook": {"error": "not built yet"}})
    assert row(table, "export", found)[2:4] == ["not measured", "failed"]


def test_a_peer_that_is_missing_is_named_with_the_reason(table: ModuleType) -> None:
    text = table.table(results(log={"trackbook": {"p50_us_1": 1.0}}))
    assert "gonebook cannot be installed here: no wheel" in text
    assert "Abacus 9" in text


def test_the_columns_are_aligned(table: ModuleType) -> None:
    lines = table.table(results(log={"trackbook": {"p50_us_1": 1.0, "p99_us_1": 30.0}})).split("\n\n")[0].splitlines()
    assert len({len(line) for line in lines}) == 1


def test_medians_are_taken_for_each_figure(lab: ModuleType) -> None:
    taken = [{"a": 1.0, "b": 5.0}, {"a": 3.0, "b": 1.0}, {"a": 2.0, "b": 9.0}]
    assert lab.medians(taken) == {"a": 2.0, "b": 5.0, "rounds": 3}


def test_hanging_contestant_is_ended_and_others_run(lab: ModuleType, tmp_path: Path) -> None:
    from peers import Entrant

    bench = lab.Lab([Entrant("stuck", sys.executable, "1"), Entrant("well", sys.executable, "1")], tmp_path, quick=True)

    def measure(entrant: Entrant) -> dict[str, float]:
        program = "import time; time.sleep(60)" if entrant.name == "stuck" else "print('RESULT 2.5')"
        return {"ms": bench.result(entrant, [entrant.python, "-c", program], timeout=2)}

    found = bench.alternate("example", 3, measure)
    assert found == {"stuck": {"error": "still not done after 2 s"}, "well": {"ms": 2.5, "rounds": 1}}
    assert bench.problems == ["example: stuck still not done after 2 s"]


def test_a_figure_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import bench

    def failing(_: object) -> None:
        """A figure that fails."""
        raise RuntimeError("the page is gone")

    def well(_: object) -> dict[str, dict[str, float]]:
        """A figure."""
        return {"trackbook": {"ms": 1.0}}

    monkeypatch.setattr(bench, "FIGURES", {"draw": failing, "import": well})
    results = bench.measure(["draw", "import"], [], quick=True)
    assert results["figures"] == {"import": {"trackbook": {"ms": 1.0}}}
    assert results["problems"] == ["draw: RuntimeError: the page is gone"]


def test_a_quick_round_without_peers_prints_the_table_and_writes_nothing(tmp_path: Path) -> None:
    before = [(path, path.stat().st_mtime_ns) for path in sorted(BENCHMARKS.glob("*.json"))]
    command = [sys.executable, BENCHMARKS / "bench.py", "--quick", "--only", "import", "--peers", ""]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "| import" in done.stdout
    assert "Quick" in done.stdout
    assert [(path, path.stat().st_mtime_ns) for path in sorted(BENCHMARKS.glob("*.json"))] == before
