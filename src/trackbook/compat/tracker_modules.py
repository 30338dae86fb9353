"""Modules that stand in for those of a tracker: what `import wandb.sdk.wandb_run` finds, made from the modules of this package."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Final

from ..media import PLACES
from ..tracking.unsupported import MEDIA

TRACKERS: Final = ("trackio", "swanlab", "wandb")
_MEDIA: Final = {name: f"compat.stand_ins:{name}" for name in MEDIA} | {
    name: f"media.{place}:{name}" for name, place in PLACES.items()
}
_ERRORS: Final = {name: f"compat.stand_ins:{name}" for name in "Error CommError UsageError".split()}
_RUN: Final = {"Run": "tracking.run:Run"}

# Submodules that scripts and integrations import, each with its names and where they are in `trackbook`.
SUBMODULES: Final[dict[str, Mapping[str, str]]] = {
    "trackio.context_vars": {
        name: f"compat.trackio_context:{name}"
        for name in "current_run current_project current_space_id current_server".split()
    },
    "trackio.run": _RUN,
    "trackio.table": {"Table": "media.table:Table"},
    "swanlab.data": _RUN,
    "swanlab.data.run": _RUN,
    "swanlab.utils": {"generate_id": "ids:new_id"},
    "wandb.apis": {"PublicApi": "compat.reading:Api"},
    "wandb.apis.public": {"Api": "compat.reading:Api", "Run": "compat.reading:ReadRun"},
    "wandb.data_types": _MEDIA,
    "wandb.errors": _ERRORS,
    "wandb.sdk": _RUN | {"Settings": "compat.stand_ins:Settings", "Artifact": "artifacts.artifact:Artifact"},
    "wandb.sdk.lib": {"RunDisabled": "tracking.run:Run"},
    "wandb.sdk.lib.config_util": {"ConfigError": "compat.stand_ins:ConfigError"},
    "wandb.sdk.lib.disabled": {"RunDisabled": "tracking.run:Run"},
    "wandb.sdk.lib.runid": {"generate_id": "ids:new_id"},
    "wandb.sdk.lib.telemetry": {"context": "compat.stand_ins:telemetry"},
    "wandb.sdk.wandb_config": {"Config": "tracking.config:Config"},
    "wandb.sdk.wandb_run": _RUN,
    "wandb.sdk.wandb_settings": {"Settings": "compat.stand_ins:Settings"},
    "wandb.sdk.wandb_summary": {"Summary": "tracking.config:Summary"},
    "wandb.util": {"generate_id": "ids:new_id"},
    "wandb.wandb_run": _RUN,
}


class TrackerModule(ModuleType):
    """A module with the names of a tracker's module. The module of a tracker itself has all names of its dialect."""

    def __getattr__(self, name: str) -> Any:
        if self.__name__ in TRACKERS:
            return getattr(dialect(self.__name__), name)
        found = submodule(f"{self.__name__}.{name}")
        if found is None:
            raise AttributeError(f"trackbook stands in for {self.__name__!r}, and has nothing for {name!r}")
        return found

    def __dir__(self) -> Iterable[str]:
        return dir(dialect(self.__name__)) if self.__name__ in TRACKERS else super().__dir__()


def dialect(tracker: str) -> ModuleType:
    """Return the module of this package for a tracker."""
    return importlib.import_module(f"{__package__}.{tracker}")


def make(path: str) -> TrackerModule:
    """Return a new module for this path of a tracker: its own name, or one of `SUBMODULES`."""
    module = TrackerModule(path)
    if path in TRACKERS:
        spoken = vars(dialect(path))
        kept = [name for name in spoken if not name.startswith("_")] + ["__all__", "__doc__", "__version__"]
        vars(module).update({name: spoken[name] for name in kept})  # copied, so that `log` is found at once
    for name, place in SUBMODULES.get(path, {}).items():
        home, _, attribute = place.partition(":")
        setattr(module, name, getattr(importlib.import_module(f"..{home}", __package__), attribute))
    return module


def submodule(path: str) -> ModuleType | None:
    """Return a submodule of a tracker, None when Trackbook has none of this path."""
    if path not in SUBMODULES:
        return None
    is_installed = isinstance(sys.modules.get(path.partition(".")[0]), TrackerModule)
    return importlib.import_module(path) if is_installed else _made(path)


_made = functools.cache(make)
