"""The view settings of a board: traits that Python and the front end both read and set.

``view_settings.json`` declares them for both languages. The keys of a setting:

===========  =======================================================================================
``default``  its default, which also gives its type: boolean, integer, text, list of texts, or mapping of texts
``help``     its effect, in one sentence
``lists``    true: in a mapping of texts, each value is a list of texts
``numbers``  true: in a mapping of texts, each value is a list of numbers
``open``     true: such a list is a lower and an upper end, of which one may be null
``pattern``  in a mapping of texts, the regular expression of each value
``meaning``  of a ``pattern``: what the value is, in the words of its error
``form``     of a mapping, an entry as addresses of pages have it
``label``    its name on the board
``choices``  its possible values, each with its name on the board
``range``    smallest and largest value beside the default, in ``unit``
``menu``     true: the View menu has it, which resets it too. A number is chosen from ``options``
``reset``    true: the View menu resets it
``chart``    true: a parameter of the same name of every chart of lines (`charts.metric_spec.line`)
``cell``     true: kept for the boards of one cell; other settings also for later boards of the project (`kept_views`)
``once``     true: not kept for later boards
``silent``   true: a change by the front end is not echoed to it, because it is set while a hand moves
===========  =======================================================================================
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import traitlets

from ..text import did_you_mean
from ..user_warnings import warn
from . import drawn_runs, run_filter

SETTINGS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("view_settings.json").read_text("utf-8"))
TRAITS: Final = frozenset(SETTINGS)  # the traits that a front end may set
VERSION: Final = 1  # of the dicts that `View.view` returns
CHART_OPTIONS: Final = [name for name, setting in SETTINGS.items() if setting.get("chart")]


def _trait(setting: dict[str, Any]) -> Any:
    default, told = setting["default"], setting["help"]
    if "choices" in setting:
        trait: Any = traitlets.Enum(list(setting["choices"]), default, help=told)
    elif isinstance(default, bool):
        trait = traitlets.Bool(default, help=told)
    elif isinstance(default, int):
        trait = traitlets.Int(default, help=told)
    elif isinstance(default, str):
        trait = traitlets.Unicode(default, help=told)
    elif isinstance(default, list):
        trait = traitlets.List(traitlets.Unicode(), default, help=told)
    else:
        value: Any = traitlets.List(traitlets.Unicode()) if setting.get("lists") else traitlets.Unicode()
        value = traitlets.List(traitlets.Float(allow_none=True)) if setting.get("numbers") else value
        trait = traitlets.Dict(key_trait=traitlets.Unicode(), value_trait=value, help=told)
    return trait.tag(sync=True, **({"echo_update": False} if setting.get("silent") else {}))


class View(traitlets.HasTraits):
    """The view settings of a board. A value out of range raises a ``TraitError`` that names the range."""

    vars().update({name: _trait(setting) for name, setting in SETTINGS.items()})

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def view(self, new: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the view as a dict; with `new`, such a dict of this or another board, set the view first.

        Parameters
        ----------
        new
            Settings by name; those that are missing get their defaults. ``version`` is that of the Trackbook that made the dict. Of
            another version, settings that are not known here or have no such value here are left out, with a warning.

        Returns
        -------
        dict
            The settings that differ from their defaults, and ``version``.

        Raises
        ------
        TypeError, ValueError
            When `new` is not a dict of settings, or names a setting or a value that does not exist. Nothing is set then.
        """
        if new is not None:
            wanted = checked(new)
            with self.hold_trait_notifications():
                for name, setting in SETTINGS.items():
                    self.set_trait(name, wanted.get(name, setting["default"]))
        changed = {name: getattr(self, name) for name, setting in SETTINGS.items()}
        return {"version": VERSION} | {
            name: value for name, value in changed.items() if value != SETTINGS[name]["default"]
        }

    @property
    def chart_options(self) -> dict[str, Any]:
        """The settings that are parameters of the charts."""
        return {name: getattr(self, name) for name in CHART_OPTIONS}

    @traitlets.validate("x_axis")
    def _check_x_axis(self, proposal: Any) -> str:
        name: str = proposal["value"]
        if not name:
            raise traitlets.TraitError("x_axis is 'step', 'relative', 'time' or the name of a metric, not ''")
        return name

    @traitlets.validate(*(name for name, setting in SETTINGS.items() if "range" in setting))
    def _check_range(self, proposal: Any) -> int:
        name, value = proposal["trait"].name, proposal["value"]
        (low, high), default = SETTINGS[name]["range"], SETTINGS[name]["default"]
        if not low <= value <= high and value != default:
            span = " ".join([f"{low} to {high}", *([SETTINGS[name]["unit"]] if "unit" in SETTINGS[name] else [])])
            raise traitlets.TraitError(
                f"{name} is {span}{'' if low <= default <= high else f' or {default}'}, not {value}"
            )
        return int(value)

    @traitlets.validate("drawn_runs")
    def _check_drawn_runs(self, proposal: Any) -> str:
        rule: str = proposal["value"]
        try:
            drawn_runs.parse(rule)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None
        return rule

    @traitlets.validate("run_filter")
    def _check_run_filter(self, proposal: Any) -> str:
        text: str = proposal["value"]
        try:
            run_filter.check(text)
        except ValueError as error:
            raise traitlets.TraitError(
                f"run_filter is a text, or a filter such as 'lr > 0.01 and optimizer = adam'; in {text!r}: {error}"
            ) from None
        return text

    @traitlets.validate(*(name for name, setting in SETTINGS.items() if "pattern" in setting))
    def _check_pattern(self, proposal: Any) -> dict[str, str]:
        name: str = proposal["trait"].name
        values: dict[str, str] = proposal["value"]
        for key, value in values.items():
            if not re.fullmatch(SETTINGS[name]["pattern"], value):
                raise traitlets.TraitError(f"{name}[{key!r}] is {SETTINGS[name]['meaning']}, not {value!r}")
        return values

    @traitlets.validate("y_ranges")
    def _check_y_ranges(self, proposal: Any) -> dict[str, list[float | None]]:
        ranges: dict[str, list[float | None]] = proposal["value"]
        for chart, ends in ranges.items():
            given = [end for end in ends if end is not None]
            if len(ends) != 2 or not given or not all(map(math.isfinite, given)) or given != sorted(set(given)):
                raise traitlets.TraitError(
                    f"y_ranges[{chart!r}] is a lower and a larger upper end, of which one may be None, not {ends!r}"
                )
        return ranges

    @traitlets.validate("reference_lines")
    def _check_reference_lines(self, proposal: Any) -> dict[str, list[float | None]]:
        lines: dict[str, list[float | None]] = proposal["value"]
        for chart, values in lines.items():
            if not all(value is not None and math.isfinite(value) for value in values):
                raise traitlets.TraitError(f"reference_lines[{chart!r}] is a list of numbers, not {values!r}")
        return lines


def checked(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a view that a user gives. See `View.view`."""
    if not isinstance(view, Mapping):
        raise TypeError(f"a view is a dict of settings, as board.view() returns it, not {type(view).__name__}")
    version = view.get("version", VERSION)
    settings, problems = known_settings(view)
    if problems and version == VERSION:
        raise ValueError("; ".join(problems))
    if problems:
        warn(
            f"this view is of version {version!r}, not {VERSION}, and is set without a part of it: {'; '.join(problems)}"
        )
    return settings


def known_settings(view: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the settings of a view that exist here, and a sentence for each of the others."""
    settings, problems, scratch = {}, [], View()
    for name, value in view.items():
        if name in SETTINGS:
            try:
                scratch.set_trait(name, value)
                settings[name] = value
            except traitlets.TraitError as error:
                problems.append(str(error))
        elif name != "version":
            problems.append(f"there is no setting {name!r}; {did_you_mean(str(name), TRAITS, 'see dir(board)')}")
    return settings, problems
