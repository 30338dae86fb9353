"""`install`: makes ``import wandb`` find Trackbook in this process, and `uninstall`, which undoes it."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import settings
from .tracker_modules import SUBMODULES, TRACKERS, TrackerModule, dialect, make


class _Loader(Loader):
    """Makes the modules that stand in for those of a tracker."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return make(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is made with its names."""


class _Distribution(importlib.metadata.Distribution):
    """What Accelerate asks for to believe that a tracker is installed."""

    def __init__(self, tracker: str) -> None:
        self._tracker = tracker

    def read_text(self, filename: str) -> str | None:
        """Return the text of a metadata file."""
        if filename != "METADATA":
            return None
        version = dialect(self._tracker).__version__
        return (
            f"Metadata-Version: 2.1\nName: {self._tracker}\nVersion: {version}\n"
            "Summary: Trackbook, which stands in for it in this process\n"
        )

    def locate_file(self, path: Any) -> Any:
        """Return where a file of the distribution would be."""
        return Path(__file__).parent / path


class _Finder(importlib.metadata.DistributionFinder):
    """Finds Trackbook under the names of other trackers, before their own packages."""

    def __init__(self) -> None:
        self.trackers: set[str] = set()
        self.replaced: dict[str, dict[str, Any]] = {}  # what `sys.modules` held, by tracker

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of a module that stands in for a tracker's."""
        is_ours = fullname in self.trackers or (fullname.partition(".")[0] in self.trackers and fullname in SUBMODULES)
        return ModuleSpec(fullname, _Loader(), origin="trackbook.compat", is_package=True) if is_ours else None

    def find_distributions(
        self, context: importlib.metadata.DistributionFinder.Context | None = None
    ) -> Iterable[importlib.metadata.Distribution]:
        """Return the distribution that is asked for by name. Lists of what is installed, as runs record them, do not have it."""
        name = (getattr(context, "name", None) or "").lower()
        return [_Distribution(name)] if name in self.trackers else []


_finder = _Finder()


def install(*trackers: str, force: bool = False) -> None:
    """Make imports of `trackers` find Trackbook in this process: some of ``"trackio"``, ``"swanlab"`` and ``"wandb"``.

    ``import wandb``, ``importlib.util.find_spec("wandb")`` and the version of its distribution then speak of `trackbook.compat.wandb`,
    so that ``report_to="wandb"`` of other libraries records here. Call it before they are imported. `uninstall` undoes it.

    Parameters
    ----------
    trackers
        The names.
    force
        Replace also a tracker that is installed and imported already. Modules that hold it go on using it.

    Raises
    ------
    ValueError
        For another name.
    RuntimeError
        When the tracker itself is imported already; nothing is changed then.
    """
    check_names(trackers)
    if not force:
        _refuse_imported(trackers)
    for tracker in trackers:
        if tracker not in _finder.trackers:
            _finder.replaced[tracker] = {name: sys.modules.pop(name) for name in _imported(tracker)}
            _finder.trackers.add(tracker)
    if _finder.trackers and _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def check_names(trackers: Iterable[str]) -> None:
    """Raise ``ValueError`` for a name that is not a tracker's."""
    for tracker in trackers:
        if tracker not in TRACKERS:
            raise ValueError(f"{tracker!r} is not a tracker that trackbook stands in for: {', '.join(TRACKERS)}")


def _refuse_imported(trackers: Iterable[str]) -> None:
    for tracker in trackers:
        there = sys.modules.get(tracker)
        if there is not None and tracker not in _finder.trackers:
            raise RuntimeError(
                f"{tracker} itself is imported already, from {getattr(there, '__file__', None) or 'elsewhere'}: call "
                f"install({tracker!r}) before that, or give force=True, which leaves it to the modules that hold it"
            )


def uninstall(*trackers: str) -> None:
    """Undo `install` for `trackers`, by default for all: later imports find what they found before. Modules that hold ours keep it."""
    for tracker in trackers or TRACKERS:
        if tracker in _finder.trackers:
            _finder.trackers.remove(tracker)
            for name in _imported(tracker):
                if isinstance(sys.modules[name], TrackerModule):
                    del sys.modules[name]
            sys.modules.update(_finder.replaced.pop(tracker))
    if not _finder.trackers and _finder in sys.meta_path:
        sys.meta_path.remove(_finder)


def install_chosen() -> None:
    """Install the trackers that ``TRACKBOOK_COMPAT`` names."""
    install(*settings.compat_trackers())


def _imported(tracker: str) -> list[str]:
    return [name for name in sys.modules if name == tracker or name.startswith(f"{tracker}.")]
