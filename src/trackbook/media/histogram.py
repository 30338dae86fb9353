"""Histograms: of values, or of counts that are made already. Over steps they are a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .values import Media, as_array, bad, given, within

MOST_BINS: Final = 512
_EXPECTED: Final = "numbers, or np_histogram=np.histogram(values)"


class Histogram(Media):
    """The distribution of values. Logged at several steps, it is drawn as a heat map over them.

    Parameters
    ----------
    data
        Numbers: a sequence, an array or tensor of any shape, or a pair of counts and edges, as `np.histogram` returns. NaN and infinite
        values are counted apart.
    np_histogram
        Counts and edges, of which there is one more than counts.
    num_bins
        The number of bins of `data`, at most 512.
    caption
        A text below the chart.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    """

    kind = "histogram"

    def __init__(
        self,
        data: Any = None,
        np_histogram: Any = None,
        num_bins: int = 64,
        caption: str | None = None,
        **other: Any,
    ) -> None:
        super().__init__(caption)
        if np_histogram is None:
            data = given(self, data, other, "sequence", "value")
            if isinstance(data, tuple) and len(data) == 2 and all(hasattr(each, "__len__") for each in data):
                np_histogram = data
        bins = int(within(self, "num_bins", num_bins, 1, MOST_BINS, example="num_bins=64"))
        self._keep(None, self._counted(np_histogram) if np_histogram is not None else self._binned(data, bins))

    def _counted(self, pair: Sequence[Any]) -> dict[str, Any]:
        import numpy as np

        counts: Any
        edges: Any
        counts, edges = (as_array(each) for each in pair) if len(pair) == 2 else (None, None)
        if not _belong(counts, edges):
            raise ValueError(
                f"Histogram: np_histogram takes at most {MOST_BINS} counts, and edges of which there is one more than counts"
            )
        is_finite = np.isfinite(counts).all() and np.isfinite(edges).all()
        if not is_finite or not (edges[1:] >= edges[:-1]).all() or not (counts >= 0).all():
            raise ValueError("Histogram: edges are finite and ascend, and counts are from 0 on")
        return {"edges": [float(edge) for edge in edges], "counts": counts.tolist()}

    def _binned(self, data: Any, bins: int) -> dict[str, Any]:
        import numpy as np

        array = as_array(data)
        if array is None:
            array = (
                as_array(list(data)) if hasattr(data, "__iter__") and not isinstance(data, (str, bytes, dict)) else None
            )
        if array is None or array.dtype.kind not in "biuf":
            bad(self, data, _EXPECTED)
        values = array.ravel().astype(np.float64)
        finite = values[np.isfinite(values)]
        if not len(finite):
            raise ValueError(f"Histogram: there is no finite number in it; give {_EXPECTED}")
        try:
            counts, edges = np.histogram(finite, bins=bins)
        except ValueError:  # so many bins do not fit between two floats
            counts, edges = np.histogram(finite, bins=1)
        if not (np.diff(edges) > 0).all():  # NumPy 1 makes them, without a width
            counts, edges = np.histogram(finite, bins=1)
        found = {"edges": edges.tolist(), "counts": counts.tolist()}
        return found if len(finite) == len(values) else found | {"nan": len(values) - len(finite)}


def _belong(counts: Any, edges: Any) -> bool:
    if counts is None or edges is None or not counts.ndim == edges.ndim == 1:
        return False
    return 1 <= len(counts) <= MOST_BINS and len(edges) == len(counts) + 1
