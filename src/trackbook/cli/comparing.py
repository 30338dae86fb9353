"""``trackbook diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import finding
from .exit_codes import UsageError
from .options import Dir, Json, Project, Run, examples
from .output import print_json, say, terminal_width

if TYPE_CHECKING:
    import typer

    from ..data.run_differences import Pairs


def add_to(app: typer.Typer) -> None:
    """Add ``diff``."""
    app.command("diff", epilog=examples("trackbook diff brisk-otter-12 calm-lynx-13", "trackbook diff a b --json"))(
        diff
    )


def diff(first: Run, second: Run, project: Project = None, dir: Dir = None, as_json: Json = False) -> None:
    """Compare two runs: config, environment, code, results.

    The runs may be of two projects.
    """
    from ..data.run_differences import as_text, differences, label_of, recorded

    pairs = [finding.find_record(run, project, dir) for run in (first, second)]
    (one, left), (other, right) = pairs
    if left.id == right.id and _place(one) == _place(other):
        raise UsageError(f"run {left.name!r} is given twice; it takes two runs, where a name is not enough by id")
    records = [left, right]
    found = differences(
        recorded(one.store, left, label_of(left, records)), recorded(other.store, right, label_of(right, records))
    )
    if not as_json:
        say(as_text(found, terminal_width()))
        return
    print_json(
        {
            "runs": [{"project": source.name, "id": record.id, "name": record.name} for source, record in pairs],
            "config": _both(found.config),
            "environment": _both(found.environment),
            "metrics": _both(found.metrics),
            "code": found.code,
            "not_recorded": sorted(found.unknown),
        }
    )


def _place(source: finding.Recorded) -> str:
    return str(getattr(source.store, "path", source))


def _both(pairs: Pairs) -> dict[str, dict[str, Any]]:
    """Return the values of both runs by name, without missing values."""
    from ..data.run_differences import ABSENT

    return {
        name: {which: value for which, value in zip(("first", "second"), pair, strict=True) if value is not ABSENT}
        for name, pair in pairs.items()
    }
