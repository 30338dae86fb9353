from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import trackbook as tb
from processes import own_process
from trackbook import user_warnings
from trackbook.api.process import Process
from trackbook.tracking.unsupported import CALLS, FEATURES, KEYWORDS, REFUSED, StandIn, call, is_stand_in
from tracker_scripts import hearing


class Picture(StandIn): ...


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """Give each test a `Process` of its own, which has said nothing yet."""
    monkeypatch.setattr(user_warnings, "_said", set())
    with own_process(monkeypatch) as made:
        yield made


@pytest.mark.parametrize("value", [Picture(), [Picture(), Picture()], (Picture(),)])
def test_stand_in_is_left_out_and_said_once(value: Any) -> None:
    run = tb.init("p")
    with hearing() as heard:
        assert run.log({"a": 1, "val": {"image": value}}) == {"a": 1.0}
        assert run.log({"a": 2, "other": value}) == {"a": 2.0}
    assert heard == [f"Picture is not recorded: {FEATURES['media']} (here 'val/image'; said once)"]
    assert run.history()["value"].to_list() == [1, 2]


@pytest.mark.parametrize("value", [[], [Picture(), 1], {"a": Picture()}, 1, "Picture"])
def test_other_values_are_not_stand_ins(value: Any) -> None:
    assert not is_stand_in(value)


def test_list_with_anything_else_is_an_error() -> None:
    with pytest.raises(TypeError, match="is an object of type list"):
        tb.init("p").log({"a": [Picture(), 1]})


def test_method_of_a_stand_in_does_nothing_and_says_so_once() -> None:
    with hearing() as heard:
        Picture().draw(1, name="x")
        Picture().draw()
    assert heard == ["Picture.draw() does nothing in trackbook (said once)"]


def test_stand_in_is_copied_and_pickled() -> None:
    assert isinstance(copy.deepcopy(Picture()), Picture)
    assert isinstance(pickle.loads(pickle.dumps(StandIn())), StandIn)
    with pytest.raises(AttributeError, match="'Picture' object has no attribute '__array__'"):
        Picture().__array__  # noqa: B018


@pytest.mark.parametrize("name", sorted(CALLS.keys() - REFUSED))
def test_call_says_once_what_happens(name: str) -> None:
    with hearing() as heard:
        assert call(name)(1, x=2, name="model") is None
        call(name)()
    assert heard == [f"{name} is not supported yet: {FEATURES[CALLS[name]]} (said once)"]


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_call_whose_result_is_needed_is_refused(name: str) -> None:
    with pytest.raises(NotImplementedError, match=f"{name} is not supported yet: "):
        call(name)("model:latest", name="model")


@pytest.mark.parametrize("name", KEYWORDS)
def test_keyword_of_init_says_what_happens(name: str) -> None:
    with pytest.warns(tb.TrackbookWarning, match=rf"init\(\) ignores {name}: {name} is not supported yet: ") as caught:
        run = tb.init("p", **{name: "x"}, entity=None)
    assert len(caught) == 1
    assert not run.ended


def test_one_warning_names_all_that_init_ignores() -> None:
    with hearing() as heard:
        tb.init("p", entity="e", monitor_gym=True, settings={})
    (sentence,) = heard
    assert sentence == (
        "init() ignores entity, monitor_gym, settings: trackbook has no use for entity, settings; "
        f"monitor_gym is not supported yet: {FEATURES['media']}"
    )


def test_every_feature_has_calls() -> None:
    assert set(CALLS.values()) | {"media"} == set(FEATURES)  # types need media
    assert set(KEYWORDS.values()) <= set(FEATURES)
    assert set(REFUSED) <= set(CALLS)


def test_warning_points_at_the_users_line() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tb.init("p").log({"a": Picture()})
    assert caught[0].filename == __file__
