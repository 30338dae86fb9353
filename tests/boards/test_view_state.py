"""The view settings, which both languages read."""

from __future__ import annotations

from typing import Any

import pytest
import traitlets

from trackbook import TrackbookWarning
from trackbook.boards.view_state import CHART_OPTIONS, SETTINGS, View
from trackbook.charts.metric_spec import OPTIONS

FIELDS = {
    "default",
    "help",
    "label",
    "choices",
    "range",
    "unit",
    "menu",
    "options",
    "reset",
    "chart",
    "silent",
    "lists",
    "numbers",
    "open",
    "pattern",
    "meaning",
    "form",
    "cell",
    "once",
}


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_setting_is_a_trait_that_documents_itself(name: str) -> None:
    trait, setting = View.class_traits()[name], SETTINGS[name]
    assert getattr(View(), name) == setting["default"]
    assert trait.help == setting["help"]
    assert trait.metadata["sync"]
    assert setting.keys() <= FIELDS


@pytest.mark.parametrize("name", [name for name in sorted(SETTINGS) if SETTINGS[name]["default"] == {}])
def test_a_mapping_has_a_form_for_addresses_that_the_board_takes(name: str) -> None:
    key, *values = SETTINGS[name]["form"].split(":")
    setting = SETTINGS[name]
    items = [float(value) for value in values] if "numbers" in setting else values
    View().set_trait(name, {key: items if "numbers" in setting or "lists" in setting else ":".join(values)})


@pytest.mark.parametrize("name", [name for name in sorted(SETTINGS) if SETTINGS[name].get("menu")])
def test_a_setting_of_the_menu_has_a_label_and_values_to_choose(name: str) -> None:
    setting, view = SETTINGS[name], View()
    assert setting["label"]
    values: list[Any] = [*setting.get("choices", ()), *map(int, setting.get("options", ()))] or [True, False]
    for value in values:
        setattr(view, name, value)
        assert getattr(view, name) == value


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("chart_height", 79, "chart_height is 80 to 800 px or 0, not 79"),
        ("smoothing", 100, "smoothing is 0 to 99, not 100"),
        ("y_scales", {"loss": "sqrt"}, r"y_scales\['loss'\] is 'linear' or 'log', not 'sqrt'"),
        ("y_ranges", {"loss": [1, 0]}, r"y_ranges\['loss'\] is a lower and a larger upper end"),
        ("y_ranges", {"loss": [None, None]}, "of which one may be None"),
        ("reference_lines", {"loss": [None]}, r"reference_lines\['loss'\] is a list of numbers"),
        ("chart_sizes", {"loss": "9x1"}, r"chart_sizes\['loss'\] is columns \(1 to 6\) by rows \(1 to 4\)"),
    ],
)
def test_error_of_a_value_out_of_range_names_the_range(name: str, value: int, said: str) -> None:
    with pytest.raises(traitlets.TraitError, match=said):
        setattr(View(), name, value)


def test_settings_of_the_charts_are_those_that_the_charts_have() -> None:
    assert {name: SETTINGS[name]["default"] for name in CHART_OPTIONS} == OPTIONS


def test_defaults_are_not_shared_between_boards() -> None:
    first = View()
    first.collapsed.append("train")
    assert View().collapsed == ["@system"]


# --- the view as a dict


def test_view_has_what_differs_from_the_defaults_and_sets_another_board_alike() -> None:
    one, other = View(), View(columns=4)
    one.smoothing, one.run_colors = 8, {"r": "#123456"}
    assert one.view() == {"version": 1, "smoothing": 8, "run_colors": {"r": "#123456"}}
    assert other.view(one.view()) == one.view()
    assert other.columns == 0


@pytest.mark.parametrize(
    ("view", "error", "said"),
    [
        ({"smoothing": 3, "smothing": 8}, ValueError, "there is no setting 'smothing'; did you mean 'smoothing'"),
        ({"smoothing": 3, "columns": 9}, ValueError, "columns is 0 to 6, not 9"),
        ({"smoothing": 3, "y_scale": "sqrt"}, ValueError, "y_scale"),
        ([("smoothing", 3)], TypeError, "a view is a dict of settings"),
    ],
)
def test_view_that_is_not_one_sets_nothing(view: Any, error: type[Exception], said: str) -> None:
    board = View(columns=4)
    with pytest.raises(error, match=said):
        board.view(view)
    assert board.view() == {"version": 1, "columns": 4}


def test_view_of_another_version_is_set_as_far_as_it_is_known() -> None:
    board = View()
    with pytest.warns(TrackbookWarning, match=r"version 2, not 1.*no setting 'hologram'"):
        board.view({"version": 2, "hologram": True, "smoothing": 8})
    assert board.smoothing == 8
