from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from trackbook.alerting import webhook as module
from trackbook.alerting.levels import AlertLevel
from trackbook.alerting.webhook import Message, NotDelivered, Webhook, to_webhook
from webhooks import Answer, service

MESSAGE = Message("digits", "calm-lynx", "abc", 3, 12.5, AlertLevel.WARN, "NaN <!channel>", "loss & more", 7)


def refused(webhook: Webhook) -> NotDelivered:
    with pytest.raises(NotDelivered) as found:
        webhook.send(MESSAGE)
    return found.value


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("https://discord.com/api/webhooks/1/x", "discord"),
        ("https://ptb.discord.com/api/webhooks/1/x", "discord"),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/x", "feishu"),
        ("https://open.larksuite.com/open-apis/bot/v2/hook/x", "feishu"),
        ("https://oapi.dingtalk.com/robot/send?access_token=x", "dingtalk"),
        ("https://notdiscord.com/api", "json"),
        ("https://example.com/hooks.slack.com", "json"),
    ],
)
def test_address_tells_the_service(url: str, kind: str) -> None:
    assert Webhook(url).kind == kind


@pytest.mark.parametrize(
    "url",
    [
        "example.com",
        "ftp://example.com",
        "https://?SECRET",
        "file:///etc/passwd",
        "https://a b",
        "http://a:99999",
        "http://[",
        "https://a/\nx",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="webhook_url is no address") as found:
        to_webhook(url)
    assert url not in str(found.value)


def test_no_address_means_no_webhook() -> None:
    assert to_webhook(None) is None
    assert to_webhook("") is None
    with pytest.raises(TypeError, match="webhook_url"):
        to_webhook(3)
    with pytest.raises(ValueError, match="webhook_min_level"):
        to_webhook("https://example.com", "loud")


def test_representation_has_no_address() -> None:
    assert "SECRET" not in repr(Webhook("https://example.com/SECRET"))


def test_generic_service_gets_every_field() -> None:
    with service() as one:
        Webhook(one.url).send(MESSAGE)
    assert one.got == [
        {
            "id": "abc/3",
            "title": "NaN <!channel>",
            "text": "loss & more",
            "level": "warn",
            "project": "digits",
            "run": "calm-lynx",
            "run_id": "abc",
            "step": 7,
            "time": 12.5,
        }
    ]


def sent_as(kind: str, monkeypatch: pytest.MonkeyPatch, *answers: Answer, message: Message = MESSAGE) -> Any:
    monkeypatch.setattr(module, "HOSTS", {"127.0.0.1": kind})
    with service(*answers) as one:
        Webhook(one.url).send(message)
    (got,) = one.got
    return got


def test_chat_services_get_what_they_document(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["⚠️ NaN <!channel>", "loss & more", "Trackbook warn: run calm-lynx of digits, step 7"]
    escaped = [line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in lines]
    assert sent_as("slack", monkeypatch) == {"text": "\n".join(escaped)}
    discord = sent_as("discord", monkeypatch)
    assert discord["content"].splitlines()[1:] == lines[1:]
    assert discord["allowed_mentions"] == {"parse": []}
    feishu = sent_as("feishu", monkeypatch, Answer(body=b'{"code": 0}'))
    assert feishu == {"msg_type": "text", "content": {"text": "\n".join(lines)}}
    dingtalk = sent_as("dingtalk", monkeypatch, Answer(body=b'{"errcode": 0}'))
    assert (dingtalk["msgtype"], dingtalk["text"]) == ("text", {"content": "\n".join(lines)})


def test_long_text_fits_and_keeps_the_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    content = sent_as("discord", monkeypatch, message=MESSAGE._replace(text="x" * 9_000))["content"]
    assert len(content) <= 2_000
    assert content.splitlines()[-1] == "Trackbook warn: run calm-lynx of digits, step 7"


@pytest.mark.parametrize(("status", "again"), [(429, True), (500, True), (503, True), (400, False), (404, False)])
def test_status_says_whether_to_try_again(status: int, again: bool) -> None:
    with service(Answer(status)) as one:
        found = refused(Webhook(one.url))
    assert found.again is again
    assert str(found) == f"127.0.0.1 answered {status}"


def test_service_names_the_time_to_wait() -> None:
    with service(Answer(429, headers={"Retry-After": "7"})) as one:
        assert refused(Webhook(one.url)).wait == 7.0
    with service(Answer(429, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})) as one:
        assert refused(Webhook(one.url)).wait is None


def test_redirection_is_not_followed() -> None:
    with service(Answer(302, headers={"Location": "/elsewhere"})) as one:
        found = refused(Webhook(one.url))
    assert len(one.got) == 1
    assert not found.again


@pytest.mark.parametrize(
    ("kind", "body", "again"),
    [
        ("feishu", b'{"code": 19024, "msg": "Key Words Not Found"}', False),
        ("feishu", b'{"code": 11232}', True),
        ("dingtalk", b'{"errcode": 310000}', False),
        ("dingtalk", b'{"errcode": 130101}', True),
    ],
)
def test_code_in_an_answer_of_success_is_a_refusal(
    kind: str, body: bytes, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HOSTS", {"127.0.0.1": kind})
    with service(Answer(body=body)) as one:
        assert refused(Webhook(one.url)).again is again


def test_service_that_is_away_may_be_back_later() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = refused(Webhook(f"http://127.0.0.1:{taken.getsockname()[1]}/SECRETTOKEN"))
    assert found.again
    assert "SECRETTOKEN" not in str(found)


def test_service_that_breaks_off_may_take_it_later() -> None:
    with service(Answer(breaks_off=True)) as one:
        found = refused(Webhook(one.url))
    assert found.again
    assert "127.0.0.1 broke off" in str(found)


def test_service_that_does_not_answer_in_time_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)
    with service(Answer(wait=threading.Event())) as one:
        found = refused(Webhook(one.url))
        assert len(one.got) == 1
    assert not found.again
