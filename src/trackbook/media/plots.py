"""Charts of classifiers, and of two columns of a table, as charts of Altair: `trackbook.plot`. `log` takes them as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from .values import as_array

if TYPE_CHECKING:
    import altair as alt

MOST_POINTS: Final = 500  # of a curve
_SIDE: Final = 280
_MOST_UPRIGHT: Final = 30  # letters of all classes' names beside each other
_LEAST_CELL: Final = 9  # px of a cell that a number fits into


def roc_curve(
    y_true: Any,
    y_probas: Any,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[Any] | None = None,
    title: str | None = None,
    **_: Any,
) -> alt.Chart:
    """Return the receiver operating characteristic of each class.

    Parameters
    ----------
    y_true
        The true class of each example.
    y_probas
        Scores of shape (examples, classes), or (examples,) for the second of two classes.
    labels
        Names of the classes, in order.
    classes_to_plot
        Classes to show, by default all.
    title
        A title.

    Raises
    ------
    ValueError
        For scores of another shape.
    """
    rows = []
    for name, hits, scores in _classes("roc_curve", y_true, y_probas, labels, classes_to_plot):
        true, false, _positive = _counts(hits, scores)
        rows += _curve(name, false / max(false[-1], 1), true / max(true[-1], 1))
    return _lines(rows, "False positive rate", "True positive rate", title or "ROC")


def pr_curve(
    y_true: Any,
    y_probas: Any,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[Any] | None = None,
    title: str | None = None,
    **_: Any,
) -> alt.Chart:
    """Return precision over recall of each class. The parameters are those of `roc_curve`."""
    import numpy as np

    curves = []
    for name, hits, scores in _classes("pr_curve", y_true, y_probas, labels, classes_to_plot):
        true, _false, positive = _counts(hits, scores)
        precision = np.divide(true, positive, out=np.ones_like(true), where=positive > 0)
        curves.append((name, true / max(true[-1], 1), precision))
    return pr_chart(curves, title)


def pr_chart(curves: Iterable[tuple[str, Any, Any]], title: str | None = None) -> alt.Chart:
    """Return precision over recall, of curves of a name, recall and precision each."""
    rows = [row for name, recall, precision in curves for row in _curve(name, recall, precision)]
    return _lines(rows, "Recall", "Precision", title or "Precision and recall")


def confusion_matrix(
    y_true: Any = None,
    preds: Any = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    *,
    probs: Any = None,
    y_pred: Any = None,
    **_: Any,
) -> alt.LayerChart:
    """Return how many examples of each true class were taken for each class.

    Parameters
    ----------
    y_true
        The true class of each example.
    preds
        The predicted class of each example; also as ``y_pred``.
    class_names
        Names of the classes, in order.
    title
        A title.
    probs
        Scores of shape (examples, classes) in place of `preds`.

    Raises
    ------
    ValueError
        When both are missing, or differ in length.
    """
    import altair as alt
    import numpy as np

    guesses = preds if preds is not None else y_pred
    if guesses is None and probs is not None:
        guesses = np.argmax(_array("confusion_matrix", probs), axis=1)
    if y_true is None or guesses is None or len(y_true) != len(guesses):
        raise ValueError("confusion_matrix takes y_true, and as many preds or probs")
    kinds = sorted({*map(_plain, y_true), *map(_plain, guesses)}, key=lambda kind: (isinstance(kind, str), kind))
    names = {kind: _name(kind, place, class_names) for place, kind in enumerate(kinds)}
    counts: dict[tuple[str, str], int] = {(true, guess): 0 for true in names.values() for guess in names.values()}
    for true, guess in zip(y_true, guesses, strict=True):
        counts[names[_plain(true)], names[_plain(guess)]] += 1
    rows = [{"actual": true, "predicted": guess, "count": count} for (true, guess), count in counts.items()]
    order = list(names.values())
    upright = len(" ".join(order)) <= _MOST_UPRIGHT
    across = alt.Axis(labelAngle=0) if upright else alt.Axis(labelAngle=270, labelLimit=50, labelOverlap=True)
    base = alt.Chart(alt.InlineData(rows), title=title or "Confusion matrix").encode(
        x=alt.X("predicted:N", sort=order, title="Predicted", axis=across),
        y=alt.Y("actual:N", sort=order, title="Actual", axis=alt.Axis(labelOverlap=True)),
        tooltip=["actual:N", "predicted:N", "count:Q"],
    )
    half = max(counts.values(), default=0) / 2
    color = alt.condition(f"datum.count > {half}", alt.value("white"), alt.value("black"))
    cells = base.mark_rect().encode(color=alt.Color("count:Q", scale=alt.Scale(scheme="blues"), legend=None))
    cell = f"min(width, height) / {max(len(order), 1)}"
    size = alt.expr(f"{cell} < {_LEAST_CELL} ? 0 : min(11, {cell} - 1)")
    counted = base.mark_text(fontSize=size).encode(text="count:Q", color=color)
    chart: alt.LayerChart = (cells + counted).properties(width=_SIDE, height=_SIDE)
    return chart


def line(table: Any, x: str, y: str, stroke: str | None = None, title: str | None = None, **_: Any) -> alt.Chart:
    """Return a line over two columns of a `trackbook.Table`, one for each value of the column `stroke`."""
    return _of_table(table, "mark_line", x, y, color=stroke, title=title)


def scatter(table: Any, x: str, y: str, title: str | None = None, **_: Any) -> alt.Chart:
    """Return a point for each row of a `trackbook.Table`, by two of its columns."""
    return _of_table(table, "mark_point", x, y, title=title)


def bar(table: Any, label: str, value: str, title: str | None = None, **_: Any) -> alt.Chart:
    """Return a bar for each row of a `trackbook.Table`, by two of its columns."""
    return _of_table(table, "mark_bar", label, value, title=title)


def histogram(table: Any, value: str, title: str | None = None, **_: Any) -> alt.Chart:
    """Return the distribution of a column of a `trackbook.Table`."""
    import altair as alt

    chart = _chart([{value: cell} for cell in table.get_column(value)], title)
    drawn: alt.Chart = chart.mark_bar().encode(
        x=alt.X(field=value, type="quantitative", bin=alt.Bin(maxbins=30)), y="count()"
    )
    return drawn


def line_series(
    xs: Any, ys: Sequence[Any], keys: Sequence[str] | None = None, title: str | None = None, xname: str = "x", **_: Any
) -> alt.Chart:
    """Return several lines, over the same `xs` or over a list of them."""
    several = [xs] * len(ys) if not hasattr(xs[0], "__len__") else xs
    rows = []
    for place, (across, up) in enumerate(zip(several, ys, strict=True)):
        name = keys[place] if keys else f"line {place}"
        rows += [
            {"x": float(one), "y": float(other), "class": str(name)} for one, other in zip(across, up, strict=True)
        ]
    return _lines(rows, xname, "", title or "")


def _of_table(table: Any, mark: str, x: str, y: str, *, color: str | None = None, title: str | None) -> alt.Chart:
    import altair as alt

    columns = {name: table.get_column(name) for name in dict.fromkeys(filter(None, (x, y, color)))}
    rows = [dict(zip(columns, map(_plain, cells), strict=True)) for cells in zip(*columns.values(), strict=True)]
    kinds: dict[str, Any] = {
        name: "quantitative" if all(isinstance(cell, (int, float)) for cell in cells if cell is not None) else "nominal"
        for name, cells in ((name, [row[name] for row in rows]) for name in columns)
    }
    encoding: dict[str, Any] = {"x": alt.X(field=x, type=kinds[x]), "y": alt.Y(field=y, type=kinds[y])}
    if color:
        encoding["color"] = alt.Color(field=color, type=kinds[color])
    chart: alt.Chart = getattr(_chart(rows, title), mark)().encode(**encoding)
    return chart


def _lines(rows: list[dict[str, Any]], x: str, y: str, title: str) -> alt.Chart:
    import altair as alt

    chart: alt.Chart = (
        _chart(rows, title)
        .mark_line(clip=True)
        .encode(
            x=alt.X("x:Q", title=x), y=alt.Y("y:Q", title=y), color=alt.Color("class:N", title=None), order="place:Q"
        )
    )
    return chart


def _chart(rows: list[dict[str, Any]], title: str | None) -> alt.Chart:
    import altair as alt

    chart = alt.Chart(alt.InlineData(rows), title=title or alt.Undefined)
    return chart.properties(width=_SIDE, height=_SIDE)


def _curve(name: str, x: Any, y: Any) -> list[dict[str, Any]]:
    """Return at most `MOST_POINTS` of a curve's points, the first and the last among them."""
    import numpy as np

    places = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).astype(int))
    return [
        {"x": float(x[place]), "y": float(y[place]), "class": name, "place": number}
        for number, place in enumerate(places)
    ]


def _counts(hits: Any, scores: Any) -> tuple[Any, Any, Any]:
    """Return for each threshold, from the largest score on, the true positives, the false ones, and all that are positive."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of those with one score
    true = np.concatenate([[0.0], np.cumsum(hits[order])[last]])
    positive = np.concatenate([[0.0], last + 1.0])
    return true, positive - true, positive


def _classes(
    what: str, y_true: Any, y_probas: Any, labels: Sequence[str] | None, chosen: Sequence[Any] | None
) -> list[tuple[str, Any, Any]]:
    """Return the name of each class, which examples are of it, and their scores."""
    import numpy as np

    scores = _array(what, y_probas).astype(np.float64)
    truth = np.asarray([_plain(each) for each in y_true])
    if scores.ndim not in (1, 2) or len(scores) != len(truth) or not len(truth):
        raise ValueError(
            f"{what} takes scores (examples, classes) for {len(truth)} examples, not of shape {scores.shape}"
        )
    known = np.unique(truth)
    if scores.ndim == 1:
        positive = known[-1] if len(known) > 1 else 1
        return [(_name(positive, 1, labels), truth == positive, scores)]
    kinds = known if len(known) == scores.shape[1] else np.arange(scores.shape[1])
    return [
        (_name(kind, place, labels), truth == kind, scores[:, place])
        for place, kind in enumerate(kinds)
        if chosen is None or _plain(kind) in chosen
    ]


def _array(what: str, value: Any) -> Any:
    found = as_array(value)
    if found is None or not found.ndim:
        raise ValueError(f"{what} takes an array of scores, not {type(value).__name__}")
    return found


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _name(kind: Any, place: int, names: Sequence[str] | None) -> str:
    kind = _plain(kind)
    place = kind if isinstance(kind, int) and not isinstance(kind, bool) else place
    return str(names[place]) if names is not None and 0 <= place < len(names) else str(kind)
