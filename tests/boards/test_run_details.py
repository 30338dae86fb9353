from __future__ import annotations

from typing import Any

import pytest

from trackbook.boards import questions
from trackbook.boards.run_details import (
    LONGEST_LINE,
    LONGEST_OUTPUT,
    LONGEST_SOURCE,
    MOST_CELLS,
    MOST_FOUND,
    MOST_SPANS,
    PAGE,
    RESENT,
    answers,
    cell_spans,
)
from trackbook.store.documents import put_document
from trackbook.store.memory import MemoryStore
from trackbook.types import CAPTURED, RunRecord


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.put_run(RunRecord("r", "run", started=100.0))
    return store


def printed(store: MemoryStore, count: int, **changed: str) -> None:
    """Return a store with lines "line 0" to "line n", some of them replaced: `_7="x"`."""
    texts = {int(name[1:]): text for name, text in changed.items()}
    lines = [(i, "stdout", texts.get(i, f"line {i}"), 100.0 + i, None) for i in range(count)]
    store.put_captured("r", "console", lines)


def ask(store: MemoryStore, ask: str, **fields: Any) -> dict[str, Any]:
    answer, buffers = questions.answer(answers(store), {"run": "r", **fields, "ask": ask})
    assert buffers == []
    return answer


def texts(answer: dict[str, Any]) -> list[str]:
    return [text for _, _, text, _, _ in answer["lines"]]


def numbers(answer: dict[str, Any]) -> list[int]:
    return [line for line, *_ in answer["lines"]]


def test_console_opens_at_its_end(store: MemoryStore) -> None:
    printed(store, 2500)
    answer = ask(store, "console")
    assert (numbers(answer), answer["earlier"]) == (list(range(2500 - PAGE, 2500)), 2500 - PAGE)
    assert answer["lines"][-1] == [2499, "stdout", "line 2499", 2599.0, None]


def test_earlier_lines_come_in_pages_across_gaps(store: MemoryStore) -> None:
    kept = [*range(500), *range(4000, 6000)]
    store.put_captured("r", "console", [(n, "stdout", f"line {n}", 1.0, 3) for n in kept])
    answer = ask(store, "console", before=5000)
    assert (numbers(answer), answer["earlier"]) == (list(range(4000, 5000)), 500)
    answer = ask(store, "console", before=4000)
    assert (numbers(answer), answer["earlier"]) == (list(range(500)), 0)


def test_since_returns_all_lines_from_a_line_on(store: MemoryStore) -> None:
    printed(store, 5000)
    answer = ask(store, "console", before=4000, since=100)
    assert (numbers(answer), answer["earlier"]) == (list(range(100, 4000)), 100)
    assert len(numbers(ask(store, "console", before=4000, since=3999))) == PAGE


def test_after_includes_lines_that_may_have_changed(store: MemoryStore) -> None:
    printed(store, 500)
    printed(store, 510, _450="100%", _200="long ago")
    answer = ask(store, "console", after=499)
    assert answer["lines"][0][0] == 499 - RESENT + 1
    assert "100%" in texts(answer)
    assert (texts(answer)[-1], answer["more"]) == ("line 509", False)


def test_many_lines_after_a_line_come_in_pages(store: MemoryStore) -> None:
    printed(store, 3000)
    first = ask(store, "console", after=0)
    assert first["more"]
    second = ask(store, "console", after=first["lines"][-1][0])
    third = ask(store, "console", after=second["lines"][-1][0])
    assert third["lines"][-1][0] == 2999
    assert not third["more"]


def test_search_ignores_case_and_covers_all_lines(store: MemoryStore) -> None:
    printed(store, 3000, _7="Loss (NaN)", _2990="loss (nan) again")
    assert ask(store, "console", search="LOSS (nan)") == {"found": [7, 2990]}
    assert ask(store, "console", search="nowhere")["found"] == []


def test_search_returns_the_newest_of_too_many_lines(store: MemoryStore) -> None:
    printed(store, MOST_FOUND + 5)
    assert ask(store, "console", search="line")["found"] == list(range(5, MOST_FOUND + 5))


def test_long_texts_are_cut_and_tracebacks_keep_their_end(store: MemoryStore) -> None:
    printed(store, 1, _0="x" * 10_000)
    (text,) = texts(ask(store, "console"))
    assert (len(text), text[-1]) == (LONGEST_LINE, "…")
    source, error = "x" * 50_000, "x" * 50_000 + "ValueError: no"
    store.put_captured("r", "cells", [(0, "id", 1, source, 1.0, 2.0, "error", error, None, "[]", 0, None)])
    (cell,) = ask(store, "cells")["cells"]
    assert (len(cell["source"]), len(cell["error"])) == (LONGEST_SOURCE, LONGEST_SOURCE)
    assert cell["error"].endswith("ValueError: no")


def test_newest_cells_come_in_order(store: MemoryStore) -> None:
    rows = [(n, f"id{n}", n + 1, None, 1.0, None, "running", None, None, "[]", 0, None) for n in range(MOST_CELLS + 3)]
    store.put_captured("r", "cells", rows)
    answer = ask(store, "cells")
    assert [cell["number"] for cell in answer["cells"]] == list(range(3, MOST_CELLS + 3))
    assert answer["earlier"] == 3
    assert answer["cells"][0] == {
        "number": 3,
        "count": 4,
        "source": None,
        "started": 1.0,
        "ended": None,
        "state": "running",
        "error": None,
        "output": None,
        "dirty": None,
    }


def test_cell_has_its_output_and_why_it_is_dirty(store: MemoryStore) -> None:
    row = (0, "id", 1, "x", 1.0, 2.0, "ok", None, "7" * 5000, "[]", 0, "edited since")
    store.put_captured("r", "cells", [row])
    (cell,) = ask(store, "cells")["cells"]
    assert (cell["output"], cell["dirty"]) == ("7" * (LONGEST_OUTPUT - 1) + "…", "edited since")


def test_code_of_a_script_comes_beside_the_cells(store: MemoryStore) -> None:
    assert ask(store, "cells")["script"] is None
    put_document(store, "r", "code", {"path": "train.py", "source": "x" * (LONGEST_SOURCE + 1)})
    script = ask(store, "cells")["script"]
    assert (script["path"], len(script["source"])) == ("train.py", LONGEST_SOURCE)


def test_artifacts_and_saved_files_stand_before_the_environment(store: MemoryStore) -> None:
    links = [
        ("used b:v1", "used", "b:v1", "d", 2.0),
        ("used a:v0", "used", "a:v0", "d", 3.0),
        ("made m:v0", "made", "m:v0", "d", 4.0),
    ]
    store.put_captured("r", "artifact_links", links)
    store.put_captured("r", "files", [("src/a.py", "d", 1234, 1.0)])
    kept = {"artifacts": {"used": "b:v1, a:v0", "made": "m:v0"}, "saved files": {"src/a.py": "1,234 bytes"}}
    assert ask(store, "environment") == {"environment": kept}
    put_document(store, "r", "environment", {"os": {"name": "Linux"}})
    assert [*ask(store, "environment")["environment"]] == ["artifacts", "saved files", "os"]
    store.put_captured("r", "files", [(f"f{number:03}", "d", 1, 1.0) for number in range(300)])
    files = ask(store, "environment")["environment"]["saved files"]
    assert (len(files), files["…"]) == (201, "101 more")


def test_environment_is_returned_as_recorded(store: MemoryStore) -> None:
    assert ask(store, "environment") == {"environment": None}
    environment = {"os": {"name": "Linux"}, "packages": {"numpy": "2.1.0"}}
    put_document(store, "r", "environment", environment)
    assert ask(store, "environment") == {"environment": environment}


@pytest.mark.parametrize("run", ["nobody", None, 7])
def test_run_is_found_by_its_id_only(store: MemoryStore, run: Any) -> None:
    assert ask(store, "cells", run=run) == {"error": "this run is no longer in the project"}


@pytest.mark.parametrize("fields", [{"before": "1"}, {"since": True}, {"after": 1.5}])
def test_bad_line_numbers_are_refused(store: MemoryStore, fields: dict[str, Any]) -> None:
    assert "is the number of a line" in ask(store, "console", **fields)["error"]


# --- cell spans


def row(number: int, **fields: Any) -> tuple[Any, ...]:
    known: dict[str, Any] = dict.fromkeys(CAPTURED["cells"])
    known |= {"number": number, "count": number + 1, "started": 10.0 * number, "ended": 10.0 * number + 5}
    return tuple((known | {"state": "ok", "points": 3} | fields).values())


def store_of(**runs: list[tuple[Any, ...]]) -> MemoryStore:
    made = MemoryStore()
    for run_id, rows in runs.items():
        made.put_captured(run_id, "cells", rows)
    return made


def test_spans_are_of_executions_that_logged() -> None:
    spans = cell_spans(store_of(a=[row(0), row(1)], b=[row(2)], c=[row(3)]), ["a", "b"])
    assert spans == {"a": [(1, 0.0, 5.0), (2, 10.0, 15.0)], "b": [(3, 20.0, 25.0)]}


def test_spans_include_running_executions_without_points() -> None:
    running = row(2, points=0, state="running", ended=None)
    store = store_of(a=[row(0, points=0), row(1, count=None), running])
    assert cell_spans(store, ["a"]) == {"a": [(3, 20.0, None)]}


def test_spans_are_limited_to_the_newest_of_all_runs() -> None:
    both = store_of(a=[row(number) for number in range(MOST_SPANS)], b=[row(MOST_SPANS), row(MOST_SPANS + 1)])
    spans = cell_spans(both, ["b", "a"])
    assert sum(map(len, spans.values())) == MOST_SPANS
    assert spans["a"][0][0] == 3
    assert [count for count, *_ in spans["b"]] == [MOST_SPANS + 1, MOST_SPANS + 2]
