"""Conversion of config values to JSON values, by the same rules at every depth.

Objects with names and values become dicts, other collections lists, and numbers of any library numbers. Everything else is recorded as
its text. No value makes the conversion fail.
"""

from __future__ import annotations

import dataclasses
import decimal
import enum
import fractions
import functools
import os
import re
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

_MOST_BITS: Final = 10_000  # of an int, because Python formats at most 4300 digits
DEEPEST: Final = 64  # levels of nesting; deeper values are recorded as text
_CYCLE: Final = "<contains itself>"
_CALLABLES: Final = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
_NAMELESS: Final = (str, bytes, bytearray, int, float, complex, Sequence, AbstractSet, type, *_CALLABLES)


class Converter:
    """Converts one config. `unknown` holds the types that were recorded as text, each with the first place where it was found."""

    def __init__(self) -> None:
        self.unknown: dict[type, str] = {}
        self._above: list[int] = []  # the ids of the values that contain the one being converted

    def plain(self, value: Any, where: str = "") -> Any:
        """Return `value` as JSON values. Infinities and NaN stay: Python's json reads and writes them."""
        try:
            return self._plain(value, where)
        except Exception:  # noqa: BLE001  a config value must not stop training, nor hide the others
            return text_of(value)

    def _plain(self, value: Any, where: str) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return text_of(value)
        if isinstance(value, int):
            return int(value) if value.bit_length() <= _MOST_BITS else text_of(value)
        if isinstance(value, float):
            return float(value)
        if isinstance(value, enum.Enum):
            return text_of(value.value) if isinstance(value.value, str) else value.name
        if id(value) in self._above:
            return _CYCLE
        if len(self._above) == DEEPEST:
            return text_of(value)
        self._above.append(id(value))
        try:
            return self._of_holder(value, where)
        finally:
            self._above.pop()

    def _of_holder(self, value: Any, where: str) -> Any:
        if (items := items_of(value)) is not None:
            return {text_of(name): self.plain(item, f"{where}.{name}" if where else str(name)) for name, item in items}
        if isinstance(value, (list, tuple)) or (isinstance(value, Sequence) and not isinstance(value, (bytes, range))):
            return [self.plain(item, where) for item in value]
        if isinstance(value, AbstractSet):
            return [self.plain(item, where) for item in _sorted(value)]
        if getattr(value, "shape", None) == () and callable(item := getattr(value, "item", None)):
            number = item()  # a scalar of numpy or torch
            return text_of(value) if type(number) is type(value) else self.plain(number, where)
        return self._text(value, where)

    def _text(self, value: Any, where: str) -> str:
        if isinstance(value, _CALLABLES):
            return f"{value.__module__}.{value.__qualname__}"
        if isinstance(value, functools.partial):
            return f"partial({self.plain(value.func)})"
        if isinstance(value, re.Pattern):
            return text_of(value.pattern)
        if isinstance(value, (bytes, bytearray)):
            return bytes(value).decode(errors="backslashreplace")
        if not isinstance(value, _texts()) and not _is_of_arrays(value):
            self.unknown.setdefault(type(value), where)
        return text_of(value)


def items_of(value: Any, *, is_config: bool = False) -> list[tuple[Any, Any]] | None:
    """Return the names and values of an object, None when it has none.

    A config itself (`is_config`) may be any object or class with attributes. Inside it, an object with a text of its own is a
    value: a model is not a group of settings.
    """
    if type(value) is dict:
        return list(value.items())
    if isinstance(value, type):
        return _class_items(value) if is_config or _is_plain_class(value) else None
    if (names := _names_of(value)) is not None:
        return _each(names, functools.partial(getattr, value))
    if isinstance(value, (*_NAMELESS, enum.Enum, types.ModuleType)):
        return None
    library = type(value).__module__.partition(".")[0]
    if library in _LIBRARIES:
        return _LIBRARIES[library](value)
    if isinstance(value, Mapping):
        return _each(value, value.__getitem__)
    if not hasattr(value, "__dict__"):
        return None
    if callable(dump := getattr(value, "model_dump", None)):
        return list(dump().items())
    if is_config or isinstance(value, _namespaces()) or not _has_own_text(type(value)):
        return list({**dict(_class_items(type(value))), **vars(value)}.items()) or None
    return None


def _has_own_text(kind: type) -> bool:
    return any(not {"__repr__", "__str__"}.isdisjoint(vars(base)) for base in kind.__mro__[:-1])


def _names_of(value: Any) -> list[str] | None:
    """Return the field names of a dataclass, a named tuple, or an object of attrs, msgspec or pydantic; None for other objects."""
    kind = type(value)
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    if isinstance(fields := getattr(kind, "__attrs_attrs__", None), tuple):
        return [field.name for field in fields]
    if isinstance(names := getattr(kind, "__struct_fields__", None), tuple):
        return list(names)
    if isinstance(value, tuple) and isinstance(names := getattr(kind, "_fields", None), tuple):
        return list(names)
    known = getattr(kind, "model_fields", None) or getattr(kind, "__fields__", None)  # pydantic 2 and 1
    if isinstance(known, dict):
        return [*known, *(getattr(value, "model_extra", None) or {})]
    return None


def _each(names: Iterable[Any], get: Callable[[Any], Any]) -> list[tuple[Any, Any]]:
    """Get items one by one, so that one that raises, such as a required value that is not set, does not hide the others."""
    items = []
    for name in names:
        try:
            items.append((name, get(name)))
        except Exception as error:  # noqa: BLE001  a config value must not stop training, nor hide the others
            items.append((name, f"<not set: {type(error).__name__}>"))
    return items


def _items_of_omegaconf(value: Any) -> list[tuple[Any, Any]] | None:
    """Return the items of a DictConfig, with interpolations resolved if all can be. A missing value stays ``???``."""
    to_container = sys.modules["omegaconf"].OmegaConf.to_container
    try:
        held = to_container(value, resolve=True, throw_on_missing=False)
    except Exception:  # noqa: BLE001  an interpolation without a target
        held = to_container(value, resolve=False, throw_on_missing=False)
    return list(held.items()) if isinstance(held, dict) else None


_LIBRARIES: Final[dict[str, Callable[[Any], list[tuple[Any, Any]] | None]]] = {
    "omegaconf": _items_of_omegaconf,
    "ml_collections": lambda value: _each(value.keys(), value.__getitem__),
    "absl": lambda value: list(value.flag_values_dict().items()) if hasattr(value, "flag_values_dict") else None,
}


def _class_items(kind: type) -> list[tuple[str, Any]]:
    """Return the public attributes of a class and its bases, bases first, without methods and properties."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__[:-1]):
        found.update(vars(base))
    return [
        (name, value)
        for name, value in found.items()
        if not name.startswith("_")
        and not callable(getattr(type(value), "__get__", None))
        and not isinstance(value, (property, classmethod, staticmethod))
    ]


def _is_plain_class(kind: type) -> bool:
    """Whether a class is used as a namespace: it has public attributes, but no methods, not even `__init__`."""
    own = [value for base in kind.__mro__[:-1] for value in vars(base).values()]
    return bool(_class_items(kind)) and not any(isinstance(value, (types.FunctionType, property)) for value in own)


def _is_of_arrays(value: Any) -> bool:
    """Whether this is an array or a table, or a type or device of such a library."""
    library = type(value).__module__.partition(".")[0]
    return library in ("numpy", "torch", "jax", "jaxlib", "tensorflow", "pandas", "polars") and not callable(value)


def _sorted(values: AbstractSet[Any]) -> list[Any]:
    """Return the values of a set in an order that is the same in every process."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda value: (type(value).__name__, text_of(value)))


def text_of(value: Any) -> str:
    """Return `value` as text, with lone surrogates escaped, which file names may contain, but UTF-8 cannot encode."""
    try:
        text = str.__str__(value) if isinstance(value, str) else str(value)
    except Exception as error:  # noqa: BLE001  a config value must not stop training, nor hide the others
        text = f"<{type(value).__name__} whose str raises {type(error).__name__}>"
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


@functools.cache
def _texts() -> tuple[type, ...]:
    """Return types whose text describes their values completely."""
    import datetime as dt
    import uuid

    return (
        *(os.PathLike, dt.date, dt.time, dt.timedelta, dt.tzinfo, decimal.Decimal, fractions.Fraction),
        *(complex, uuid.UUID, range, slice, type, types.ModuleType, types.GenericAlias, types.UnionType),
    )


@functools.cache
def _namespaces() -> tuple[type, ...]:
    from argparse import Namespace

    return (Namespace, types.SimpleNamespace)
