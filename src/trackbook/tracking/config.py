"""A run's config and summary: dicts that remember, and that the store can keep as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from ..types import MetricSummary

_MOST_BITS = 10_000  # of an int: Python writes out no more than 4300 digits


class Config(MutableMapping[str, Any]):
    """What a run was started with. ``config["lr"]`` and ``config.lr`` are the same; changes are kept whenever they come."""

    _items: dict[str, Any]
    _changed: Callable[[], None]

    def __init__(self, items: Any = None, changed: Callable[[], None] = lambda: None) -> None:
        object.__setattr__(self, "_items", as_dict(items))
        object.__setattr__(self, "_changed", changed)

    def update(self, items: Any = None, /, allow_val_change: bool = True, **more: Any) -> None:
        """Sets several values at once, from a dict, a namespace, a dataclass or keywords.

        `allow_val_change` is wandb's and changes nothing: values may always change.
        """
        self._items.update(as_dict(items), **more)
        self._changed()

    def to_json(self) -> dict[str, Any]:
        """A copy in JSON values; what JSON cannot say stands as its ``str``."""
        return _json_dict(self._items)

    def __getitem__(self, name: str) -> Any:
        return self._items[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._items[_key(name)] = value
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
        """A copy, or one that was pickled, is on its own: what is set there is not the run's."""
        return Config, (self._items,)

    def __repr__(self) -> str:
        return repr(self._items)


class Summary(MutableMapping[str, Any]):
    """One figure a metric, as wandb's: the value at its largest step, unless you set another.

    ``summary["loss"]`` is the last value, ``summary.min["loss"]`` and ``summary.max["loss"]`` the extremes (NaN passed over).
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
        self._chosen.update(as_dict(items), **more)
        self._changed()

    def to_json(self) -> dict[str, Any]:
        """A copy of what was set by hand, in JSON values."""
        return _json_dict(self._chosen)

    def _all(self) -> dict[str, Any]:
        return {name: figures.last for name, figures in self._metrics().items()} | self._chosen

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._chosen[_key(name)] = value
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


def as_dict(items: Any) -> dict[str, Any]:
    """A dict of what people pass as config: a mapping, pairs, a dataclass, a namespace, a pydantic or argparse object."""
    if items is None:
        return {}
    if isinstance(items, Mapping):
        pairs: Any = items.items()
    elif dataclasses.is_dataclass(items) and not isinstance(items, type):
        pairs = _fields(items).items()
    elif hasattr(items, "model_dump"):
        pairs = items.model_dump().items()
    elif hasattr(items, "__dict__") and not isinstance(items, type):
        pairs = vars(items).items()
    else:
        try:
            pairs = [(name, value) for name, value in items]
        except (TypeError, ValueError):
            raise TypeError(
                f"config is {type(items).__name__}; give a dict, such as config={{'lr': 0.1}}, a dataclass or a namespace"
            ) from None
    return {_key(name): value for name, value in pairs}


def _fields(items: Any) -> dict[str, Any]:
    """A dataclass as it is: `dataclasses.asdict` would copy models, and fail at locks."""
    return {field.name: getattr(items, field.name) for field in dataclasses.fields(items)}


def _key(name: Any) -> str:
    return str.__str__(name) if isinstance(name, str) else str(name)


def _json_dict(items: Mapping[str, Any]) -> dict[str, Any]:
    return {_text(name): _jsonable(value) for name, value in list(items.items())}


def _jsonable(value: Any) -> Any:
    """`value` in JSON's kinds; what has no end, or fails when it is looked at, stands as text."""
    try:
        return _plain(value)
    except Exception:  # noqa: BLE001  whatever people keep in a config, training goes on and the rest of it is kept
        return _text(value)


def _plain(value: Any) -> Any:
    """Non-finite floats stay, which Python's json reads and writes."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _MOST_BITS else _text(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {_text(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(_fields(value))
    item = getattr(value, "item", None)  # numpy and torch scalars
    if getattr(value, "shape", None) == () and callable(item):
        plain = item()
        return _text(value) if type(plain) is type(value) else _plain(plain)
    return _text(value)


def _text(value: Any) -> str:
    """`value` as text that UTF-8 can hold: names of files may come with halves of surrogate pairs."""
    try:
        text = _key(value)
    except Exception as error:  # noqa: BLE001  as above
        return f"<{type(value).__name__} whose str raises {type(error).__name__}>"
    return text.encode(errors="backslashreplace").decode()
