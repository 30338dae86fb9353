"""A run's config and summary: mappings that save each change as JSON."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Final

from ..text import one_line
from ..types import MetricSummary
from ..user_warnings import warn
from .config_values import Converter, items_of, text_of
from .logged_values import kind_name, kind_of

_said: set[type] = set()  # types already warned about


class Config(MutableMapping[str, Any]):
    """The settings of a run. ``config["lr"]`` and ``config.lr`` are the same. Every change is saved."""

    _items: dict[str, Any]
    _changed: Callable[[], None]

    def __init__(self, items: Any = None, changed: Callable[[], None] = lambda: None) -> None:
        object.__setattr__(self, "_items", as_dict(items))
        _say_unknown(self._items)
        object.__setattr__(self, "_changed", changed)

    @classmethod
    def of_record(cls, recorded: Mapping[str, Any], changed: Callable[[], None]) -> Config:
        """Return the config that a run's record has in JSON values."""
        config = cls(changed=changed)
        object.__setattr__(config, "_items", dict(recorded))
        return config

    def update(self, items: Any = None, /, allow_val_change: bool = True, **more: Any) -> None:
        """Set several values at once, from `items` (a dict, a namespace, a dataclass) and keywords (`more`).

        `allow_val_change` is accepted for wandb and has no effect: values may always change.
        """
        given = as_dict(items) | more
        self._items.update(given)
        _say_unknown(given)
        self._changed()

    def to_json(self) -> dict[str, Any]:
        """Return a copy in JSON values, with the ``str`` of values that JSON cannot represent."""
        return _to_json(self._items)

    def __getitem__(self, name: str) -> Any:
        return self._items[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._items[text_of(name)] = value
        _say_unknown({text_of(name): value})
        self._changed()

    def __delitem__(self, name: str) -> None:
        del self._items[name]
        self._changed()

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._items[name]
        except KeyError:
            if name in _OF_WANDB:
                return functools.partial(_OF_WANDB[name], self)
            known = ", ".join(map(repr, self._items)) or "nothing"
            raise AttributeError(f"config has no {name!r}; it has {known}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"config.{name} is a method; set the value as config[{name!r}]")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._items]

    def __reduce__(self) -> tuple[type[Config], tuple[dict[str, Any]]]:
        """Copy and pickle as an independent config: changes to it are not saved with the run."""
        return Config, (self._items,)

    def __repr__(self) -> str:
        return repr(self._items)


def _set_defaults(config: Config, items: Any) -> None:
    config.update({name: value for name, value in as_dict(items).items() if name not in config})


_OF_WANDB: Final[dict[str, Callable[..., Any]]] = {
    "as_dict": dict,
    "setdefaults": _set_defaults,
}  # methods of its config, which a key of ours may hide


class Summary(MutableMapping[str, Any]):
    """One number for each metric, as in wandb: the value at its largest step, unless the user has set one.

    ``summary["loss"]`` is the last value, ``summary.min["loss"]`` and ``summary.max["loss"]`` the extremes (ignoring NaN).
    """

    def __init__(
        self, chosen: Mapping[str, Any], metrics: Callable[[], Mapping[str, MetricSummary]], changed: Callable[[], None]
    ) -> None:
        self._chosen = dict(chosen)
        self._metrics = metrics
        self._changed = changed

    @property
    def min(self) -> dict[str, float]:
        return {name: figures.min for name, figures in self._metrics().items()}

    @property
    def max(self) -> dict[str, float]:
        return {name: figures.max for name, figures in self._metrics().items()}

    def update(self, items: Any = None, /, **more: Any) -> None:
        self._chosen.update(as_dict(items, "summary"), **more)
        self._changed()

    def to_json(self) -> dict[str, Any]:
        """Return a copy of the values set by the user, in JSON values."""
        return _to_json(self._chosen)

    def _all(self) -> dict[str, Any]:
        return {name: figures.last for name, figures in self._metrics().items()} | self._chosen

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._chosen[text_of(name)] = value
        self._changed()

    def __delitem__(self, name: str) -> None:
        del self._chosen[name]
        self._changed()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


def as_dict(items: Any, name: str = "config") -> dict[str, Any]:
    """Return the items of a config as a dict.

    A config is a mapping, pairs, a dataclass, a namespace, an object of attrs, pydantic, msgspec, OmegaConf or ml_collections, or any
    object or class with attributes. Anything else is recorded under `name` with a warning, because a config must not stop training.
    """
    if items is None:
        return {}
    try:
        found = items_of(items, is_config=True)
        if found is None and isinstance(items, Iterable) and not isinstance(items, str | bytes):
            found = [(key, value) for key, value in items]
    except Exception:  # noqa: BLE001  a config must not stop training
        found = None
    if found is None:
        warn(
            f"{name} is {kind_of(items)}, and recorded as {{{name!r}: {one_line(text_of(items), 40)!r}}}; give a dict, such as "
            f"{name}={{'lr': 0.1}}, a dataclass or a namespace"
        )
        return {name: items}
    return {text_of(key): value for key, value in found}


def _to_json(items: Mapping[str, Any]) -> dict[str, Any]:
    converter = Converter()
    return {text_of(key): converter.plain(value, key) for key, value in list(items.items())}


def _say_unknown(items: Mapping[str, Any]) -> None:
    """Warn of values that are recorded as text, once for each type in a process."""
    converter = Converter()
    for key, value in list(items.items()):
        converter.plain(value, key)
    for kind, where in converter.unknown.items():
        if kind not in _said:
            _said.add(kind)
            warn(f"config {where!r} is {kind_name(kind)}, and recorded as its text (said once a type)")
