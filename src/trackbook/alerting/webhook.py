"""Webhooks: what is sent to Slack, Discord, Feishu or Lark, DingTalk and any other address, and what their answers mean.

The address is a secret, because whoever knows it can post. It is in no message: these name its host.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from .levels import AlertLevel, reaches, to_level

if TYPE_CHECKING:
    import urllib.request

ANSWER_SECONDS: Final = 30.0  # for the answer of a slow service
_LONGEST_ANSWER: Final = 65_536  # bytes that are read of an answer
_LONGEST: Final = {"slack": 3_000, "discord": 1_900, "feishu": 10_000, "dingtalk": 10_000}  # characters of a message
_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses after which the same may succeed later
_BUSY_CODES: Final = frozenset({11232, 9499, 130101, 410100})  # of Feishu and DingTalk: too many messages
_SIGNS: Final = {AlertLevel.INFO: "ℹ️", AlertLevel.WARN: "⚠️", AlertLevel.ERROR: "🚨"}  # noqa: RUF001  # the sign for information


class NotDelivered(Exception):  # noqa: N818  # an outcome
    """The service did not take the alert. ``again``: whether to try again, after ``wait`` seconds if the service names a time."""

    def __init__(self, why: str, *, again: bool, wait: float | None = None) -> None:
        super().__init__(why)
        self.again = again
        self.wait = wait


class Message(NamedTuple):
    """An alert as it is sent. Times are seconds UTC."""

    project: str
    run: str
    run_id: str
    number: int  # of the alert in its run
    time: float
    level: AlertLevel
    title: str
    text: str
    step: int | None = None


@dataclass(frozen=True)
class Webhook:
    """An address, and the least urgent level that is sent to it."""

    url: str = field(repr=False)
    min_level: AlertLevel = AlertLevel.INFO

    @property
    def host(self) -> str:
        """The host, which messages may name."""
        return urlsplit(self.url).hostname or ""

    @property
    def kind(self) -> str:
        """``slack``, ``discord``, ``feishu``, ``dingtalk`` or ``json``."""
        return next((kind for end, kind in HOSTS.items() if f".{self.host}".endswith(f".{end}")), "json")

    def takes(self, level: str) -> bool:
        """Whether alerts of this level are sent."""
        return reaches(level, self.min_level)

    def send(self, message: Message) -> None:
        """Post the alert, once. Raises `NotDelivered`."""
        kind = self.kind
        _check(kind, _post(self, json.dumps(_BODIES[kind](message)).encode()))


HOSTS: Final[dict[str, str]] = {
    "hooks.slack.com": "slack",
    "hooks.slack-gov.com": "slack",
    "discord.com": "discord",
    "discordapp.com": "discord",
    "open.feishu.cn": "feishu",
    "open.larksuite.com": "feishu",
    "oapi.dingtalk.com": "dingtalk",
}


def to_webhook(url: Any, min_level: Any = None) -> Webhook | None:
    """Check an address. None and the empty text mean that nothing is sent. Raises ``TypeError`` and ``ValueError``."""
    if url is None or url == "":
        return None
    if not isinstance(url, str):
        raise TypeError(f"webhook_url is the text of an address, not {type(url).__name__}")
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_good = False
    if not is_good or not url.isprintable() or " " in url:
        raise ValueError("webhook_url is no address; give one that begins with https:// and names a host")
    return Webhook(url, to_level(AlertLevel.INFO if min_level is None else min_level, "webhook_min_level"))


def _post(webhook: Webhook, body: bytes) -> bytes:
    """Return the answer's body. Raises `NotDelivered`."""
    import http.client
    import urllib.error
    import urllib.request

    request = urllib.request.Request(  # noqa: S310  # `to_webhook` has checked the scheme
        webhook.url, body, {"Content-Type": "application/json", "User-Agent": "trackbook"}
    )
    try:
        with _opener().open(request, timeout=ANSWER_SECONDS) as answer:
            return bytes(answer.read(_LONGEST_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(webhook, error.code, error.headers.get("Retry-After") or "") from None
    except urllib.error.URLError as error:  # it was not sent
        reason = getattr(error.reason, "strerror", None) or type(error.reason).__name__  # its text may hold the address
        raise NotDelivered(f"{webhook.host} cannot be reached: {reason}", again=True) from None
    except TimeoutError:  # it was sent: the service may have taken it, and a second one would be one too many
        raise NotDelivered(f"{webhook.host} did not answer in {ANSWER_SECONDS:.0f} s", again=False) from None
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(f"{webhook.host} broke off: {type(error).__name__}", again=True) from None


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens an address, and follows no redirection: that would repeat the alert as a GET, at another host."""
    import urllib.request

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:
            return None

    return urllib.request.build_opener(Stay)


def _refusal(webhook: Webhook, status: int, said: str) -> NotDelivered:
    wait = float(said) if said.replace(".", "", 1).isdecimal() else None
    return NotDelivered(f"{webhook.host} answered {status}", again=status in _BUSY, wait=wait)


def _check(kind: str, answer: bytes) -> None:
    """Raise `NotDelivered` where a service says by a code in an answer of status 200 that it refuses the alert."""
    if kind not in ("feishu", "dingtalk"):
        return
    try:
        said = json.loads(answer)
    except ValueError:
        said = None
    found = said if isinstance(said, dict) else {}
    code = next((found[name] for name in ("errcode", "code", "StatusCode") if name in found), 0)
    if code != 0:
        raise NotDelivered(f"{kind} answered code {str(code)[:20]}", again=code in _BUSY_CODES)


def _text(message: Message, kind: str, bold: str = "") -> str:
    head = f"{_SIGNS[message.level]} {bold}{message.title}{bold}"
    at = "" if message.step is None else f", step {message.step}"
    foot = f"Trackbook {message.level}: run {message.run} of {message.project}{at}"
    room = _LONGEST[kind] - len(foot) - 2
    above = f"{head}\n{message.text}" if message.text else head
    return f"{above if len(above) <= room else above[: room - 1] + '…'}\n{foot}"


def _slack(message: Message) -> dict[str, Any]:
    text = _text(message, "slack")
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):  # else `<!channel>` would call everybody
        text = text.replace(sign, entity)
    return {"text": text}


def _discord(message: Message) -> dict[str, Any]:
    return {"content": _text(message, "discord", "**"), "allowed_mentions": {"parse": []}}


def _feishu(message: Message) -> dict[str, Any]:
    return {"msg_type": "text", "content": {"text": _text(message, "feishu").replace("<at", "< at")}}


def _dingtalk(message: Message) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": _text(message, "dingtalk")}, "at": {"isAtAll": False}}


def _json(message: Message) -> dict[str, Any]:
    return {
        "id": f"{message.run_id}/{message.number}",
        "title": message.title,
        "text": message.text,
        "level": str(message.level),
        "project": message.project,
        "run": message.run,
        "run_id": message.run_id,
        "step": message.step,
        "time": message.time,
    }


_BODIES: Final[dict[str, Callable[[Message], dict[str, Any]]]] = {
    "slack": _slack,
    "discord": _discord,
    "feishu": _feishu,
    "dingtalk": _dingtalk,
    "json": _json,
}
