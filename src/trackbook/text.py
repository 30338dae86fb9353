"""Wording that errors, tables and boards share: shortened texts, and "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

_SHOWN: Final = 80  # characters of a value quoted in an error
_NEAREST: Final = 3
_AS_GOOD: Final = 0.1  # of the ratio: farther behind the best match, a name is noise
_SIMILAR: Final = 0.6  # difflib's own cut-off: a slip or two in a word
ONE_SLIP: Final = 0.8  # where a word may as well be another tracker's: wandb's `entity` is not our `reinit`


def shorten(text: str, most: int) -> str:
    """`text` in at most `most` characters; the last one is an ellipsis where some are left out."""
    return text if len(text) <= most else text[: most - 1] + "…"


def one_line(text: Any, most: int = _SHOWN) -> str:
    """`text` on one line, white space collapsed, in at most `most` characters."""
    return shorten(" ".join(str(text).split()), most)


def nearest(word: object, known: Iterable[str], similar: float = _SIMILAR) -> list[str]:
    """The names of `known` that `word` may be a slip for: the most similar one first, and those nearly as similar."""
    import difflib

    near = difflib.get_close_matches(str(word), list(known), _NEAREST, similar)
    ratios = [difflib.SequenceMatcher(a=str(word), b=name).ratio() for name in near]
    return [name for name, ratio in zip(near, ratios, strict=True) if ratio >= ratios[0] - _AS_GOOD]


def did_you_mean(word: object, known: Iterable[str], otherwise: str = "") -> str:
    """The question which of `known` was meant by `word`; `otherwise` where none is similar."""
    near = nearest(word, known)
    return f"did you mean {either(near)}?" if near else otherwise


def either(names: Iterable[str]) -> str:
    """Names in quotes, joined by "or"."""
    return " or ".join(map(repr, names))


def listed(names: Iterable[str], most: int = 10) -> str:
    """The first `most` names in quotes, joined by commas."""
    return ", ".join(repr(name) for name, _ in zip(names, range(most), strict=False))
