"""Charts of classifiers: their points are those of scikit-learn, and charts of tables have the cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import vl_convert

import trackbook as tb

DICE = np.random.default_rng(3)
TRUE = DICE.integers(0, 3, 200)
SCORES = DICE.random((200, 3))


def rows(chart: Any, **wanted: Any) -> list[dict[str, Any]]:
    spec = chart.to_dict()
    data = spec.get("data") or spec["layer"][0]["data"]
    found = data["values"] if "values" in data else spec["datasets"][data["name"]]
    return [row for row in found if all(row[name] == value for name, value in wanted.items())]


@pytest.mark.parametrize("kind", range(3))
def test_roc_curve_is_that_of_scikit_learn(kind: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    false, true, _ = metrics.roc_curve(kind == TRUE, SCORES[:, kind], drop_intermediate=False)
    points = rows(tb.plot.roc_curve(TRUE, SCORES, labels=["a", "b", "c"]), **{"class": "abc"[kind]})
    assert [point["x"] for point in points] == pytest.approx(false)
    assert [point["y"] for point in points] == pytest.approx(true)


@pytest.mark.parametrize("kind", range(3))
def test_pr_curve_is_that_of_scikit_learn(kind: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    precision, recall, _ = metrics.precision_recall_curve(kind == TRUE, SCORES[:, kind], drop_intermediate=False)
    points = rows(tb.plot.pr_curve(TRUE, SCORES), **{"class": str(kind)})
    assert [point["x"] for point in points] == pytest.approx(recall[::-1])
    assert [point["y"] for point in points] == pytest.approx(precision[::-1])


def test_scores_of_the_second_of_two_classes() -> None:
    points = rows(tb.plot.roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], labels=["no", "yes"]))
    assert {point["class"] for point in points} == {"yes"}
    assert [(point["x"], point["y"]) for point in points] == [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]


def test_one_class_alone_is_drawn() -> None:
    assert rows(tb.plot.roc_curve([0], [[1, 0]]))
    assert rows(tb.plot.pr_curve([0], [1]))


def test_long_curve_is_thinned() -> None:
    points = rows(tb.plot.roc_curve(DICE.integers(0, 2, 50_000), DICE.random(50_000)))
    assert len(points) == 500
    assert (points[0]["x"], points[-1]["x"], points[-1]["y"]) == (0, 1, 1)


@pytest.mark.parametrize("given", [{"preds": [0, 2, 2]}, {"y_pred": [0, 2, 2]}, {"probs": np.eye(3)[[0, 2, 2]]}])
def test_confusion_matrix_counts(given: Any) -> None:
    found = rows(tb.plot.confusion_matrix(y_true=[0, 1, 2], class_names=["a", "b", "c"], **given))
    assert {(row["actual"], row["predicted"]): row["count"] for row in found if row["count"]} == {
        ("a", "a"): 1,
        ("b", "c"): 1,
        ("c", "c"): 1,
    }
    assert len(found) == 9


def test_short_names_of_a_confusion_matrix_are_upright_and_long_ones_cut() -> None:
    short = tb.plot.confusion_matrix([0, 1], [0, 1], class_names=["cat", "dog"])
    long = tb.plot.confusion_matrix([0, 1], [0, 1], class_names=["a cat that sleeps", "a dog that barks"])
    across = [chart.to_dict()["layer"][0]["encoding"]["x"]["axis"] for chart in (short, long)]
    assert across == [{"labelAngle": 0}, {"labelAngle": 270, "labelLimit": 50, "labelOverlap": True}]


def test_numbers_that_do_not_fit_into_the_cells_of_a_confusion_matrix_are_left_out() -> None:
    kinds = range(20)
    chart = tb.plot.confusion_matrix(kinds, kinds).to_dict()
    large, small = (vl_convert.vegalite_to_svg({**chart, "width": side, "height": side}) for side in (400, 100))
    assert 'font-size="0px"' not in large
    assert small.count('font-size="0px"') == 400


@pytest.mark.parametrize(
    "make",
    [
        lambda: tb.plot.roc_curve([0, 1], [[0.1, 0.9]]),
        lambda: tb.plot.pr_curve([], []),
        lambda: tb.plot.roc_curve([0], None),
        lambda: tb.plot.confusion_matrix(y_true=[0]),
        lambda: tb.plot.confusion_matrix([0], [0, 1]),
    ],
)
def test_other_shapes_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="takes"):
        make()


def test_charts_of_tables() -> None:
    table = tb.Table(columns=["x.y", "n", "s"], data=[[1, 2, "a"], [2, 3, "b"]])
    assert rows(tb.plot.line(table, "x.y", "n", stroke="s")) == [
        {"x.y": 1, "n": 2, "s": "a"},
        {"x.y": 2, "n": 3, "s": "b"},
    ]
    assert rows(tb.plot.bar(table, "s", "n"))[0] == {"s": "a", "n": 2}
    assert rows(tb.plot.scatter(table, "n", "s"))[1] == {"n": 3, "s": "b"}
    assert rows(tb.plot.histogram(table, "n")) == [{"n": 2}, {"n": 3}]
    lines = rows(tb.plot.line_series([0, 1], [[1, 2], [3, 4]], keys=["a", "b"]))
    assert [(row["x"], row["y"], row["class"]) for row in lines] == [(0, 1, "a"), (1, 2, "a"), (0, 3, "b"), (1, 4, "b")]
