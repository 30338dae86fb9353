from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from trackbook import TrackbookWarning
from trackbook.notebook.clear_output import ClearedOutputs


class Publisher:
    """The part of ipykernel's publishers and streams that hooks need. Calls scheduled for their thread run at once."""

    closed = False

    def __init__(self) -> None:
        self.hooks: list[Callable[[Any], Any]] = []
        self.pub_thread = self

    def schedule(self, call: Callable[[], None]) -> None:
        call()

    def register_hook(self, hook: Callable[[Any], Any]) -> None:
        self.hooks.append(hook)

    def unregister_hook(self, hook: Callable[[Any], Any]) -> None:
        self.hooks.remove(hook)

    def send(self, kind: str, **content: Any) -> Any:
        message = {"header": {"msg_type": kind}, "content": content}
        for hook in list(self.hooks):
            message = hook(message)
        return message


class Notebook:
    """A followed cell, and the calls of its outputs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.display_pub, self.displayhook, self.stream = Publisher(), Publisher(), Publisher()
        monkeypatch.setattr(sys, "stdout", self.stream)
        self.errors = Publisher()
        monkeypatch.setattr(sys, "stderr", self.errors)
        self.calls: list[str] = []
        self.outputs = ClearedOutputs(lambda: self.calls.append("room"), lambda: self.calls.append("cleared"))
        self.outputs.follow(self)
        self.outputs.follow(self)

    def clear(self, *, wait: bool = False) -> None:
        self.display_pub.send("clear_output", wait=wait)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    return Notebook(monkeypatch)


def test_clear_takes_effect_at_once(notebook: Notebook) -> None:
    assert not notebook.outputs.cleared
    notebook.clear()
    assert notebook.outputs.cleared
    assert notebook.calls == ["cleared"]
    notebook.outputs.outputs_came_back()
    assert not notebook.outputs.cleared


@pytest.mark.parametrize(
    ("publisher", "kind"), [("display_pub", "display_data"), ("displayhook", "execute_result"), ("stream", "stream")]
)
def test_waiting_clear_takes_effect_with_the_next_output(notebook: Notebook, publisher: str, kind: str) -> None:
    notebook.clear(wait=True)
    assert (notebook.outputs.cleared, notebook.calls) == (False, ["room"])
    notebook.display_pub.send("update_display_data")  # which is no new output
    assert not notebook.outputs.cleared
    message = getattr(notebook, publisher).send(kind)
    assert message["header"]["msg_type"] == kind
    assert (notebook.outputs.cleared, notebook.calls) == (True, ["room", "cleared"])


def test_outputs_without_a_clear_change_nothing(notebook: Notebook) -> None:
    notebook.display_pub.send("display_data")
    notebook.stream.send("stream", text="hello")
    assert (notebook.outputs.cleared, notebook.calls) == (False, [])


def test_cleared_outputs_wait_again_for_a_second_waiting_clear(notebook: Notebook) -> None:
    notebook.clear(wait=True)
    notebook.stream.send("stream", text="1")
    notebook.clear(wait=True)
    assert not notebook.outputs.cleared
    notebook.stream.send("stream", text="2")
    assert notebook.outputs.cleared


def test_end_of_the_cell_removes_every_hook(notebook: Notebook) -> None:
    notebook.clear()
    notebook.outputs.end()
    assert not notebook.outputs.cleared
    publishers = (notebook.display_pub, notebook.displayhook, notebook.stream, notebook.errors)
    assert [publisher.hooks for publisher in publishers] == [[]] * 4


def test_failing_callback_warns_once_and_lets_the_output_appear(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("no")

    monkeypatch.setattr(notebook.outputs, "_before_waiting", fail)
    with pytest.warns(TrackbookWarning, match="no longer brings boards back after clear_output, because that failed"):
        notebook.clear(wait=True)
    notebook.clear(wait=True)
    assert notebook.display_pub.hooks == []
