from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from trackbook.alerting import sender as module
from trackbook.alerting.levels import AlertLevel
from trackbook.alerting.sender import Sender
from trackbook.alerting.webhook import Message, NotDelivered, Webhook
from webhooks import Answer, service

SECONDS = 30.0  # to wait for what comes at once on a machine that is not busy


def message(number: int = 0) -> Message:
    return Message("p", "r", "id", number, 0.0, AlertLevel.WARN, f"alert {number}", "")


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender()
    yield made
    made.close(0.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT", 0.001)


def test_alert_is_sent_once(sender: Sender) -> None:
    outcomes: list[str] = []
    with service() as one:
        sender.send(Webhook(one.url), message(), outcomes.append)
        assert sender.wait(SECONDS)
    assert [got["title"] for got in one.got] == ["alert 0"]
    assert outcomes == ["sent"]


def test_error_in_what_notes_an_outcome_keeps_no_other_alert_from_being_sent(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(outcome: str) -> None:
        raise KeyError(outcome)

    outcomes: list[str] = []
    with service() as one:
        sender.send(Webhook(one.url), message(0), fail)
        assert sender.wait(SECONDS)
        sender.send(Webhook(one.url), message(1), outcomes.append)
        assert sender.wait(SECONDS)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "MOST_WAITING", 0)
            sender.send(Webhook(one.url), message(2), fail)
    assert outcomes == ["sent"]
    record, _ = caplog.records
    assert (record.name, record.message) == ("trackbook", "what became of an alert cannot be noted: sent")


def test_failures_are_tried_again_until_the_first_success(sender: Sender) -> None:
    outcomes: list[str] = []
    answers = [Answer(500), Answer(breaks_off=True), Answer(429), Answer(200)]
    with service(*answers) as one:
        sender.send(Webhook(one.url), message(), outcomes.append)
        assert sender.wait(SECONDS)
    assert len(one.got) == 4
    assert outcomes == ["sent"]


def test_many_alerts_reach_a_failing_service_once_each(sender: Sender) -> None:
    with service(*[Answer(500), Answer(200)] * 20, Answer(200)) as one:
        for number in range(30):
            sender.send(Webhook(one.url), message(number), lambda _: None)
        assert sender.wait(SECONDS)
        taken = [got["id"] for got in one.got]
    assert len(set(taken)) == 30
    assert len(taken) == 30 + 20  # each failure once more, and no success twice


def test_refusal_is_final(sender: Sender) -> None:
    outcomes: list[str] = []
    with service(Answer(404)) as one:
        sender.send(Webhook(one.url), message(), outcomes.append)
        assert sender.wait(SECONDS)
    assert len(one.got) == 1
    assert outcomes == ["not sent: 127.0.0.1 answered 404"]


def test_sender_gives_up_after_its_tries(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TRIES", 3)
    outcomes: list[str] = []
    with service(Answer(503)) as one:
        sender.send(Webhook(one.url), message(), outcomes.append)
        assert sender.wait(SECONDS)
    assert len(one.got) == 3
    assert outcomes == ["not sent: 127.0.0.1 answered 503"]


def test_caller_does_not_wait_for_a_service_that_hangs(sender: Sender) -> None:
    hangs = threading.Event()
    with service(Answer(wait=hangs), Answer()) as one:
        for number in range(3):
            sender.send(Webhook(one.url), message(number), lambda _: None)
        assert one.arrived.acquire(timeout=SECONDS)  # the first call is inside the service, and all three have returned
        assert not sender.wait(0.0)
        hangs.set()
        assert sender.wait(SECONDS)
    assert len(one.got) == 3


def test_end_gives_up_what_no_service_takes(sender: Sender) -> None:
    outcomes: list[str] = []
    with service(Answer(wait=threading.Event())) as one:
        sender.send(Webhook(one.url), message(), outcomes.append)
        assert one.arrived.acquire(timeout=SECONDS)
        sender.close(0.05)
        assert outcomes == ["not sent: the program ended before 127.0.0.1 answered"]


def test_end_tries_once_more_what_waits_for_its_turn(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT", 300.0)
    outcomes: list[str] = []
    with service(Answer(503), Answer(200)) as one:
        sender.send(Webhook(one.url), message(), outcomes.append)
        assert one.arrived.acquire(timeout=SECONDS)
        sender.close(SECONDS)
    assert len(one.got) == 2
    assert outcomes == ["sent"]


def test_queue_has_an_end(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    hangs, outcomes = threading.Event(), list[str]()
    with service(Answer(wait=hangs), Answer()) as one:
        sender.send(Webhook(one.url), message(0), lambda _: None)
        sender.send(Webhook(one.url), message(1), outcomes.append)
        hangs.set()
        assert sender.wait(SECONDS)
    assert outcomes == ["not sent: 1 alerts were waiting for 127.0.0.1"]


def test_unforeseen_error_does_not_end_the_thread(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(self: Webhook, sent: Message) -> None:
        if sent.number == 0:
            raise RuntimeError(f"something with {self.url}")

    monkeypatch.setattr(Webhook, "send", send)
    outcomes: list[str] = []
    for number in range(2):
        sender.send(Webhook("https://example.com/SECRET"), message(number), outcomes.append)
    assert sender.wait(SECONDS)
    assert outcomes == ["not sent: RuntimeError", "sent"]


def test_service_that_asks_for_patience_gets_it(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    refusals = [NotDelivered("busy", again=True, wait=0.05), NotDelivered("busy", again=True, wait=10_000.0)]

    def send(self: Webhook, _: Message) -> None:
        if refusals:
            raise refusals.pop(0)

    wait = threading.Condition.wait

    def noted(self: threading.Condition, timeout: float | None = None) -> bool:
        if timeout is not None and threading.current_thread().name == "trackbook-alerts":
            waits.append(timeout)
            timeout = min(timeout, 0.01)
        return wait(self, timeout)

    monkeypatch.setattr(Webhook, "send", send)
    monkeypatch.setattr(threading.Condition, "wait", noted)
    sender.send(Webhook("https://example.com"), message(), lambda _: None)
    while refusals or max(waits, default=0.0) < 1:
        assert not sender.wait(0.01)
    assert 0 < waits[0] <= 0.05
    assert max(waits) <= module.LONGEST_WAIT
