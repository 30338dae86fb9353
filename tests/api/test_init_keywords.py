from __future__ import annotations

from typing import Any

import pytest

from trackbook.api.init_keywords import translate

GIVEN: dict[str, Any] = {"name": None, "notes": None, "dir": None}
CHOICES: dict[str, Any] = {
    "mode": "local",
    "resume": "never",
    "reinit": None,
    "step_by": "metric",
    "stop": "flag",
    "on_bad_value": "raise",
}


def words(**foreign: Any) -> dict[str, Any]:
    return translate(GIVEN, CHOICES, foreign)[0]


def chosen(name: str, value: Any) -> Any:
    return translate(GIVEN, {**CHOICES, name: value}, {})[0][name]


@pytest.mark.parametrize(
    ("foreign", "ours"), [("experiment_name", "name"), ("description", "notes"), ("logdir", "dir"), ("log_dir", "dir")]
)
def test_keyword_of_another_tracker_is_translated(foreign: str, ours: str) -> None:
    taken, ignored = translate(GIVEN, CHOICES, {foreign: "x"})
    assert taken[ours] == "x"
    assert ignored == []


def test_unsupported_keywords_are_returned() -> None:
    assert translate(GIVEN, CHOICES, {"entity": "me", "job_type": "train", "description": "x", "settings": {}})[1] == [
        "entity",
        "job_type",
        "settings",
    ]


def test_own_keyword_takes_precedence_over_a_foreign_one() -> None:
    given = {**GIVEN, "name": "ours"}
    assert translate(given, CHOICES, {"experiment_name": "theirs"}) == (
        {**words(), "name": "ours"},
        ["experiment_name"],
    )
    assert translate(given, CHOICES, {"experiment_name": "ours"})[1] == []
    assert translate(given, CHOICES, {"experiment_name": None})[1] == []


@pytest.mark.parametrize(
    ("value", "mode"),
    [
        ("local", "local"),
        ("online", "local"),
        ("offline", "local"),
        ("cloud", "local"),
        (None, "local"),
        ("disabled", "disabled"),
    ],
)
def test_modes_of_other_trackers_are_local_or_disabled(value: Any, mode: str) -> None:
    assert chosen("mode", value) == mode


@pytest.mark.parametrize(
    ("value", "resume"),
    [
        ("never", "never"),
        ("allow", "allow"),
        ("must", "must"),
        ("auto", "allow"),
        (True, "allow"),
        (False, "never"),
        (None, "never"),
    ],
)
def test_resume_takes_the_words_of_other_trackers(value: Any, resume: str) -> None:
    assert chosen("resume", value) == resume


@pytest.mark.parametrize(
    ("value", "reinit"),
    [
        ("finish_previous", "finish_previous"),
        ("create_new", "create_new"),
        ("default", "finish_previous"),
        (True, "finish_previous"),
        (None, "finish_previous"),
    ],
)
def test_reinit_takes_the_words_of_other_trackers(value: Any, reinit: str) -> None:
    assert chosen("reinit", value) == reinit


@pytest.mark.parametrize(
    ("name", "value", "choices"),
    [
        ("mode", "lokal", "'local', 'disabled'"),
        ("resume", "maybe", "'never', 'allow', 'must'"),
        ("resume", ["allow"], "'never', 'allow', 'must'"),
        ("reinit", "again", "'finish_previous', 'create_new'"),
        ("step_by", "epoch", "'metric', 'run'"),
        ("step_by", None, "'metric', 'run'"),
    ],
)
def test_a_choice_that_does_not_exist_is_a_value_error_that_names_the_choices(
    name: str, value: Any, choices: str
) -> None:
    with pytest.raises(ValueError) as raised:
        chosen(name, value)
    assert f"init({name}={value!r})" in str(raised.value)
    assert f"is one of {choices}" in str(raised.value)
