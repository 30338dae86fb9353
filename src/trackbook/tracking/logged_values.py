"""Validation of logged values, metric names and steps, before anything is recorded."""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ..media.recognise import as_media
from ..metrics import SYSTEM, is_system
from ..text import one_line
from .unsupported import is_stand_in, say_left_out

LARGEST_STEP = 2**63 - 1
DEEPEST_NESTING = 32
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 86_400
_TIMES = ("m", "M")  # numpy's kinds of dates and durations, whose `item()` is an int when the unit is nanoseconds


SKIPS = "init(on_bad_value='warn') leaves such values out and records the rest"
Skip = Callable[[str, Exception], None]


def flatten(
    data: Mapping[str, Any] | None, skip: Skip | None = None, media: dict[str, Any] | None = None
) -> dict[str, float]:
    """Return the metrics of one `log` call: nested dicts joined by ``/``, values as floats, in the given order.

    Raises ``TypeError`` for a value that cannot be logged and ``ValueError`` for a bad name or a number out of range; the message
    names metric, value and remedy. With `skip`, a value that cannot be logged is passed to it with its error, and left out.
    Media are added to `media`. Those of other trackers that Trackbook has not are left out in any case, with one warning.
    """
    if not isinstance(data, Mapping):
        raise TypeError(
            f"log() takes a dict of metrics, such as log({{'loss': 0.5}}), not {_show(data)} ({kind_of(data)})"
        )
    values: dict[str, float] = {}
    _flatten_into((values, {} if media is None else media), "", data, 0, skip)
    if media:
        _check_once(values, media)
    return values


def _flatten_into(
    into: tuple[dict[str, float], dict[str, Any]], prefix: str, data: Mapping[Any, Any], depth: int, skip: Skip | None
) -> None:
    values, media = into
    if depth > DEEPEST_NESTING:
        raise ValueError(f"metric {_show(prefix)}: dicts nested more than {DEEPEST_NESTING} deep; log a flatter dict")
    for key, value in data.items():
        name = prefix + check_name(key, prefix)
        if isinstance(value, Mapping):
            _flatten_into(into, f"{name}/", value, depth + 1, skip)
        elif is_system(name):
            raise ValueError(f"metric {_show(name)}: names that begin with {SYSTEM!r} are trackbook's own; rename it")
        elif name in values:
            raise ValueError(f"metric {_show(name)} is given twice in one call, once nested and once flat; log it once")
        else:
            try:
                values[name] = to_float(name, value)
            except (TypeError, ValueError) as error:
                _take_other(name, value, error, skip, media)


def _take_other(name: str, value: Any, error: Exception, skip: Skip | None, media: dict[str, Any]) -> None:
    """Take a value that is no number: a medium, or one that is left out."""
    try:
        found = as_media(value)
    except (TypeError, ValueError) as reason:
        found, error = None, type(reason)(f"metric {_show(name)}: {reason}")
    if found is not None:
        media[name] = found
    elif is_stand_in(value):
        say_left_out(name, value)
    elif skip is None:
        raise type(error)(f"{error}; {SKIPS}") from error
    else:
        skip(name, error)


def _check_once(values: Mapping[str, float], media: Mapping[str, Any]) -> None:
    if twice := sorted(values.keys() & media.keys()):
        raise ValueError(
            f"metric {_show(twice[0])} is given twice in one call, as a number and as a medium; rename one"
        )


def check_name(name: Any, prefix: str = "") -> str:
    """Return `name` if it is a valid metric name. Raises ``TypeError`` or ``ValueError``."""
    if not isinstance(name, str):
        shown = _show(name)
        raise TypeError(f"metric name {shown} is {kind_of(name)}, not a string; log {{{shown!r}: ...}} instead")
    return check_text(f"metric name under {prefix!r}" if prefix else "metric name", name, "train/loss")


def check_title(what: str, text: Any) -> str:
    """Return what `check_text` does, and raise ``ValueError`` also for a name of blanks alone."""
    name = check_text(what, text)
    if not name.strip():
        raise ValueError(f"{what} {name!r} is blank; give one, such as 'digits'")
    return name


def check_text(what: str, text: Any, example: str = "digits") -> str:
    """Return `text` if it is a non-empty string that UTF-8 can encode. Otherwise raise an error that calls it `what`."""
    if not isinstance(text, str):
        raise TypeError(f"{what} {_show(text)} is {kind_of(text)}; give a string")
    if not text:
        raise ValueError(f"{what} is empty; give one, such as {example!r}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{what} {_show(text)} holds half a surrogate pair, which is not valid text; rename it"
        ) from None
    return str.__str__(text)  # a plain str: the __str__ of a string enum returns something else


def as_tags(tags: Iterable[Any] | str | None) -> tuple[str, ...]:
    """Return tags from one string or several, without duplicates, in order."""
    if tags is None:
        return ()
    if not isinstance(tags, Iterable):
        raise TypeError(f"tags={tags!r} is not a list of strings; give one, such as tags=['baseline']")
    given = [tags] if isinstance(tags, str) else [tag if isinstance(tag, str) else str(tag) for tag in tags]
    return tuple(dict.fromkeys(check_text("tag", tag) for tag in given))


def to_float(metric: str, value: Any) -> float:
    """Return `value` as a float64, copied at once, so that a later change of an array does not change the logged value."""
    kind = type(value)
    if kind is float:
        return value  # type: ignore[no-any-return]  # narrowed by identity, which mypy does not support
    if isinstance(value, (bool, int, float, Decimal, Fraction)):
        return _number(metric, value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise TypeError(
                f"metric {_show(metric)}: the string {_show(value)} is not a number; log a number, "
                "or put text into config"
            ) from None
    if value is None:
        raise TypeError(f"metric {_show(metric)} is None; leave it out of the call, or log float('nan')")
    return _scalar(metric, value)


def _scalar(metric: str, value: Any) -> float:
    """Return the number in a numpy, torch, jax or tensorflow scalar or one-element array."""
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, type):
        remedy = (
            "log its mean, or each item under its own name" if isinstance(value, (list, tuple, set)) else "log a number"
        )
        raise TypeError(f"metric {_show(metric)}: {_show(value)} is {kind_of(value)}; {remedy}")
    if _size(shape) != 1:
        raise TypeError(
            f"metric {_show(metric)} is {kind_of(value)} of shape {_show(shape)}, not one number; "
            "log a scalar such as its .mean()"
        )
    mask = getattr(value, "mask", False)
    if not callable(mask) and bool(mask):
        raise TypeError(f"metric {_show(metric)} is masked; leave it out of the call, or log float('nan')")
    if not hasattr(value, "item") and hasattr(value, "numpy"):
        value = value.numpy()  # a tensorflow EagerTensor
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    item = value.item() if hasattr(value, "item") and kind not in _TIMES else value
    if isinstance(item, (int, float, str, Decimal, Fraction)):
        return to_float(metric, item)
    if kind in ("f", "V"):  # longdouble, and the small floats of ml_dtypes
        with contextlib.suppress(TypeError, ValueError):
            return float(item)
    raise TypeError(f"metric {_show(metric)}: {_show(value)} is {kind_of(value)}, not a real number; log a number")


def _size(shape: Any) -> int | None:
    try:
        return math.prod(int(n) for n in shape)
    except (TypeError, ValueError):  # an unrelated object with a `shape`
        return None


def _number(metric: str, value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError(
            f"metric {_show(metric)}: {_show(value)} is too large for a 64-bit float; log its logarithm"
        ) from None
    except ValueError:
        raise ValueError(f"metric {_show(metric)}: {_show(value)} is not a number; log float('nan')") from None


def to_step(step: Any, what: str = "step") -> int:
    """Return `step` as an int64. Accepts integral numbers of any library. Raises ``TypeError`` or ``ValueError``."""
    if isinstance(step, bool) or type(step).__name__ in ("bool_", "bool"):
        raise TypeError(f"{what}={step!r} is a bool; give a whole number, such as {what}=7")
    try:
        number = operator.index(step)
    except TypeError:
        number = _integral(step, what)
    if number < 0:
        raise ValueError(f"{what}={_show(number)} is negative; steps start at 0")
    if number > LARGEST_STEP:
        raise ValueError(f"{what}={_show(number)} is beyond 2**63 - 1, the largest step")
    return number


def to_seconds(seconds: Any, what: str) -> float:
    """Return `seconds` as a duration. Raises ``TypeError`` or ``ValueError``."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{what}={_show(seconds)} is {kind_of(seconds)}; give a number of seconds, such as {what}=10")
    if not SHORTEST_WAIT <= seconds <= LONGEST_WAIT:
        raise ValueError(f"{what}={seconds!r} is not between {SHORTEST_WAIT} and {LONGEST_WAIT:,} seconds")
    return float(seconds)


def _integral(step: Any, what: str) -> int:
    item = step.item() if getattr(step, "shape", None) == () and hasattr(step, "item") else step
    if not isinstance(item, (int, float, Decimal, Fraction)):
        raise TypeError(f"{what}={_show(step)} is {kind_of(step)}; give a whole number, such as {what}=7")
    try:
        number = int(item)
    except (ValueError, OverflowError):
        raise ValueError(f"{what}={item} is not a whole number; give one, such as {what}=7") from None
    if number != item:
        raise ValueError(f"{what}={item} is not a whole number; give one, such as {what}={max(number, 0)}")
    return number


def _show(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001  a broken __repr__ must not hide which metric is wrong
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return one_line(text)


def kind_of(value: Any) -> str:
    return kind_name(type(value))


def kind_name(kind: type) -> str:
    """Return "an object of type ...", with the module unless it is a built-in or the user's own type."""
    name = kind.__name__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__name__}"
    return f"an object of type {name}"
