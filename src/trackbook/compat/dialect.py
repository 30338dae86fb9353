"""How one tracker's words become Trackbook's: its `init`, and the names that its module makes up when asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .. import settings
from ..api.run import current_config, current_run, current_summary
from ..api.run import init as begin
from ..tracking.run import Run
from ..tracking.unsupported import StandIn
from ..user_warnings import warn_once
from . import shared
from .tracker_modules import submodule

_MOMENT: Final = "?_step="  # in wandb's `resume_from="id?_step=100"`
_RESUME: Final = ("allow", "must", "never", "auto")
_CURRENT: Final = {"run": current_run, "config": current_config, "summary": current_summary}


@dataclass(frozen=True)
class Dialect:
    """One tracker, as a module of `trackbook.compat` speaks it."""

    name: str
    positional: Sequence[str]  # the parameters of its `init`, in order
    defaults: Mapping[str, Any] = field(default_factory=dict)  # keywords of our `init`
    resumes_by_id: bool = False  # whether only an id names the run to resume

    def init(self, *given: Any, **words: Any) -> Run:
        """Start a run, in the tracker's own words. See `trackbook.init`."""
        if len(given) > len(self.positional):
            raise TypeError(f"{self.name}.init() takes at most {len(self.positional)} arguments without a keyword")
        named = dict(zip(self.positional, given, strict=False))
        if twice := sorted(named.keys() & words.keys()):
            raise TypeError(f"{self.name}.init() got {', '.join(twice)} twice")
        options = {name: value for name, value in (named | words).items() if value is not None}
        options = settings.of_tracker(self.name) | options
        if options.pop("sync_tensorboard", False):
            shared.sync_tensorboard()
        if self.resumes_by_id:
            _resume_by_id(options)
        return begin(**{**self.defaults, **options})

    def attribute(self, name: str) -> Any:
        """Return what changes with the current run, a submodule, or a stand-in for a name that Trackbook does not know."""
        if name in _CURRENT:
            return _CURRENT[name]()
        if name in shared.__all__:
            return getattr(shared, name)
        if name.startswith("_"):
            raise AttributeError(f"module {self.name!r} has no attribute {name!r}")
        return submodule(f"{self.name}.{name}") or unknown(f"{self.name}.{name}")


def _resume_by_id(options: dict[str, Any]) -> None:
    """Translate how wandb and SwanLab resume runs: by id. A run that only has the same name is another one."""
    source = options.get("resume_from")
    if isinstance(source, str) and _MOMENT in source:
        options["id"], _, step = source.partition(_MOMENT)
        options["resume_from"], options["resume"] = int(step), "must"
    resume = options.get("resume")
    if isinstance(resume, str) and resume not in _RESUME:
        options |= {"id": resume, "resume": "allow"}  # wandb's older form
    elif "id" not in options and resume != "must":
        options.pop("resume", None)


def unknown(path: str) -> Any:
    """Return a stand-in for a name of a tracker that Trackbook does not know: a class, or a function that does nothing."""

    def nothing(*given: Any, **_: Any) -> Any:
        warn_once(f"{path} is unknown to trackbook, and does nothing", " (said once)")
        return given[0] if len(given) == 1 and callable(given[0]) else None  # what a decorator decorates

    def made(self: Any, /, *_: Any, **__: Any) -> None:  # noqa: ARG001  # an `__init__`
        nothing()

    short = path.rpartition(".")[2]
    return type(short, (StandIn,), {"__init__": made}) if short[0].isupper() else nothing
