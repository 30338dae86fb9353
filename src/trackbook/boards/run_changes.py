"""What changed between a run and an earlier one: the card on the board of a new run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..data.run_differences import ABSENT, differences, recorded
from ..metrics import logged
from ..text import one_line
from .questions import Answer, Question

if TYPE_CHECKING:
    from ..store.base import Store
    from ..types import MetricSummary, RunRecord

MOST_PAIRS: Final = 200  # of config and of packages
MOST_METRICS: Final = 100
MOST_LINES: Final = 400  # of code
LONGEST_VALUE: Final = 200  # characters
PACKAGES: Final = "packages."


def changes(store: Store, question: Question) -> Answer:
    """Return how the ``run`` differs from the run ``against``, without it from the one before it in the project.

    ``against`` is the other run's id and name; None when there is none. ``lost`` is there, and true, if the baseline that was asked for
    is no longer in the project, and the run is compared with the one before it. ``config`` and ``packages`` are lists of name, earlier and new
    value, None where a run has none; ``code`` the lines of a unified diff; ``metrics`` a list of name, earlier and new figures, each
    last, min and max, or None. ``unknown`` lists what is not recorded for one of the runs.

    With ``metrics_only`` there are only the ``metrics``, which change while a run trains and cost little, if the run ``against`` is there.
    """
    run = _run(store, question.get("run"))
    baseline = _find(store, question.get("against"))
    if question.get("metrics_only") and baseline is not None:
        return {"metrics": _metrics(store, baseline, run)}, []
    lost = {"lost": True} if question.get("against") and baseline is None else {}
    earlier = baseline or before(store, run)
    if earlier is None:
        return {"against": None, **lost}, []
    found = differences(recorded(store, earlier, earlier.name), recorded(store, run, run.name))
    packages = {name: pair for name, pair in found.environment.items() if name.startswith(PACKAGES)}
    return {
        "against": {"id": earlier.id, "name": earlier.name},
        **lost,
        "config": _pairs(found.config),
        "packages": [[name.removeprefix(PACKAGES), *pair] for name, *pair in _pairs(packages)],
        "code": found.code.splitlines()[:MOST_LINES],
        "metrics": _metrics(store, earlier, run),
        "unknown": sorted(found.unknown),
    }, []


def before(store: Store, run: RunRecord) -> RunRecord | None:
    """Return the run of the project that began last before `run`."""
    earlier = [one for one in store.runs() if one.id != run.id and one.started <= run.started]
    return earlier[-1] if earlier else None


def _find(store: Store, run_id: Any) -> RunRecord | None:
    return store.run(run_id) if isinstance(run_id, str) and run_id else None


def _run(store: Store, run_id: Any) -> RunRecord:
    found = _find(store, run_id)
    if found is None:
        raise ValueError("this run is no longer in the project")
    return found


def _pairs(pairs: dict[str, tuple[Any, Any]]) -> list[list[Any]]:
    return [[name, *map(_shown, pair)] for name, pair in list(pairs.items())[:MOST_PAIRS]]


def _shown(value: Any) -> str | None:
    return None if value is ABSENT else one_line(value, LONGEST_VALUE)


def _metrics(store: Store, first: RunRecord, run: RunRecord) -> list[list[Any]]:
    earlier, new = (logged(store.summary(one.id)) for one in (first, run))
    return [
        [name, _figures(earlier.get(name)), _figures(new.get(name))] for name in list({**new, **earlier})[:MOST_METRICS]
    ]


def _figures(found: MetricSummary | None) -> list[float | None] | None:
    """Return last, min and max, None for what JSON cannot hold."""
    if found is None:
        return None
    return [value if abs(value) < float("inf") else None for value in (found.last, found.min, found.max)]
