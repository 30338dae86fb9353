"""Measures Trackbook's costs and losses, compared with its peers: `make bench`.

Installs the peers into `.venv-bench`, measures all in one run and in turn, prints one table, and writes `results.json`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import peers
from figures import FIGURES
from lab import Lab
from table import table

RESULTS = Path(__file__).resolve().parent / "results.json"


def machine() -> dict[str, Any]:
    """Return the properties of the machine that affect the figures, without its identity."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.processor() or platform.machine()
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 2**30),
        "os": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
    }


def load() -> float:
    return round(os.getloadavg()[0], 1)


def measure(only: list[str], rivals: list[str], *, quick: bool) -> dict[str, Any]:
    """Measure the figures named `only`, of Trackbook and its `rivals`."""
    described = {**machine(), "load_before": load()}
    entrants = [peers.trackbook(), *(peers.install(name) for name in rivals)]
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trackbook-bench-") as folder:
        lab = Lab(entrants, Path(folder), quick=quick)
        figures = {}
        for name in only:
            lab.say(f"--- {name}: {(FIGURES[name].__doc__ or '').splitlines()[0]}")
            try:
                figures[name] = FIGURES[name](lab)
            except Exception as error:  # noqa: BLE001  # hours of other figures must not be lost
                lab.problem(f"{name}: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
            else:
                lab.say(json.dumps(figures[name]))
        lab.say(f"done in {(time.monotonic() - begin) / 60:.1f} minutes")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": {**described, "load_after": load(), "minutes": round((time.monotonic() - begin) / 60, 1)},
        "versions": {entrant.name: entrant.version or None for entrant in entrants},
        "settings": {e.name: importlib.import_module(f"contestants.{e.name}").SETTINGS for e in lab.entrants},
        "quick": quick,
        "figures": figures,
        "problems": lab.problems,
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(FIGURES), help="figures, by comma; of: %(default)s")
    parser.add_argument(
        "--peers", default=",".join(peers.PEERS), help="peers, by comma, or '' for none; of: %(default)s"
    )
    parser.add_argument("--quick", action="store_true", help="one round of less: to see that it works, not to quote")
    parser.add_argument(
        "--out", type=Path, help="where to write the figures; a whole run writes benchmarks/results.json"
    )
    parser.add_argument(
        "--table", action="store_true", help="print the table of benchmarks/results.json and measure nothing"
    )
    given = parser.parse_args(arguments)
    if given.table:
        print(table(json.loads((given.out or RESULTS).read_text("utf-8"))), end="")
        return
    only, rivals = ([name for name in text.split(",") if name] for text in (given.only, given.peers))
    unknown = [name for name in only if name not in FIGURES] + [name for name in rivals if name not in peers.PEERS]
    if unknown:
        parser.error(f"no such figure or peer: {', '.join(unknown)}")
    results = measure(only, rivals, quick=given.quick)
    whole = not given.quick and only == list(FIGURES) and rivals == list(peers.PEERS)
    out = given.out or (RESULTS if whole else None)
    if out:
        out.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(table(results), end="")
    if not out:
        print("- Only a part was measured: benchmarks/results.json stays as it is.", file=sys.stderr)


if __name__ == "__main__":
    main()
