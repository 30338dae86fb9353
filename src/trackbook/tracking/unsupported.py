"""What wandb, Trackio and SwanLab do and Trackbook does not do yet: one table, from which every message and `docs/compat.md` are made.

Such a call says so once, and training goes on. Where the caller needs the result, it is refused: nothing is invented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from ..user_warnings import warn_once

FEATURES: Final = {
    "media": "joined tables, graphs and boxes in three dimensions, and custom charts, are left out of the call; its other values are recorded",
    "registries": "artifacts are in their project: there is no registry to link them to, and each is logged whole, by one process",
    "model watching": "a model is watched until its run ends",
    "sweeps": "there is no sweep controller; call init in a loop over the settings",
}

_CALLS: Final = {
    "registries": "link_artifact link_model upsert_artifact finish_artifact register_reference_handler",
    "model watching": "unwatch",
    "sweeps": "sweep agent controller",
}
_KEYWORDS: Final = {
    "media": "monitor_gym",
}


def _by_name(names: Mapping[str, str]) -> dict[str, str]:
    return {name: feature for feature, listed in names.items() for name in listed.split()}


CALLS: Final = _by_name(_CALLS)  # functions, with the feature that they need
KEYWORDS: Final = _by_name(_KEYWORDS)  # keywords of `init`, likewise
MEDIA: Final = "JoinedTable Graph box3d plot_table".split()  # types, and functions that make one
REGISTRIES: Final = "ArtifactTTL ReferenceHandler ResolvedReference".split()  # types
REFUSED: Final = frozenset("sweep agent controller".split())  # whose result the caller needs


class StandIn:
    """A value that another tracker records and Trackbook does not. `log` leaves it out, and says so once."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return partial(_ignore, f"{type(self).__name__}.{name}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, which trackbook does not record yet>"


def is_stand_in(value: Any) -> bool:
    """Whether a value is a stand-in, or a list of them."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(item, StandIn) for item in value)
    return isinstance(value, StandIn)


def say_left_out(metric: str, value: Any) -> None:
    """Say, once for each type, that a stand-in is left out of a call of `log`."""
    one = value[0] if isinstance(value, (list, tuple)) else value
    warn_once(f"{type(one).__name__} is not recorded: {FEATURES['media']}", f" (here {metric!r}; said once)")


def call(name: str) -> Any:
    """Return the function of this name, one of `CALLS`: it says once that it does nothing, or it is refused."""
    return partial(_refuse if name in REFUSED else _say, name)


def sentence(name: str) -> str:
    """Return what is said of a function of `CALLS`."""
    return f"{name} is not supported yet: {FEATURES[CALLS[name]]}"


def unsupported_keywords(names: Iterable[str]) -> list[str]:
    """Return what is said of those that are in `KEYWORDS`: a sentence for each feature."""
    features: dict[str, list[str]] = {}
    for name in names:
        if name in KEYWORDS:
            features.setdefault(KEYWORDS[name], []).append(name)
    return [
        f"{', '.join(listed)} {'is' if len(listed) == 1 else 'are'} not supported yet: {FEATURES[feature]}"
        for feature, listed in features.items()
    ]


def _say(name: str, /, *_: Any, **__: Any) -> None:
    warn_once(sentence(name), " (said once)")


def _refuse(name: str, /, *_: Any, **__: Any) -> None:
    raise NotImplementedError(sentence(name))


def _ignore(name: str, /, *_: Any, **__: Any) -> None:
    warn_once(f"{name}() does nothing in trackbook", " (said once)")
