"""Requests to a Trackbook server, and what its answers mean."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

import httpx

from ..text import one_line
from .target import TargetBusy, TargetError, shown
from .wire import BEARER_HEADER, HEADER, PROTOCOL

CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30.0
SKEW_SECONDS: Final = 60.0  # by which clocks may differ without a word
_BLOCK: Final = 1 << 20
_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_TOKEN: Final = (
    "set TRACKBOOK_TOKEN to a token that `trackbook token create --write --project {project}` makes on the server"  # noqa: S105
)


class Client:
    """Asks one server about one project. The token is in a header only, and in no message."""

    def __init__(self, where: str, project: str, token: str | None, headers: Mapping[str, str] | None = None) -> None:
        """`headers` go along with each request; where they have an ``Authorization`` of their own, the token has its own header."""
        self.name = shown(where)
        self.skew: float | None = None  # seconds by which the server's clock is ahead, when that is much
        self._project = project
        self._has_token = token is not None
        more = {} if headers is None else {name.lower(): value for name, value in headers.items()}
        if token is not None:
            more.setdefault("authorization", f"Bearer {token}")
            more |= {BEARER_HEADER: token} if headers else {}
        self._client = httpx.Client(
            base_url=self.name + "/",
            headers={HEADER: str(PROTOCOL), **more},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=1),
        )

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return the answer to a question. Raises as `Target`."""
        return _object(self.get_bytes(path, **query))

    def get_bytes(self, path: str, **query: Any) -> bytes:
        """Return the answer to a question as it is. Raises as `Target`."""
        return self._ask("GET", path, params={"project": self._project} | query)

    def post(self, path: str, content: bytes | None = None, **fields: Any) -> dict[str, Any]:
        """Return the answer to bytes, or to `fields` as JSON. Raises as `Target`."""
        body = None if content is not None else {"project": self._project} | fields
        return _object(self._ask("POST", path, content=content, json=body))

    def put_file(self, path: str, file: Path, name: str) -> None:
        """Send a file. Raises as `Target`."""
        with file.open("rb") as opened:
            size = {"content-length": str(file.stat().st_size)}
            self._ask(
                "PUT", path, content=_blocks(opened), headers=size, params={"project": self._project, "name": name}
            )

    def _ask(self, method: str, path: str, **request: Any) -> bytes:
        try:
            answer = self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        except httpx.InvalidURL as error:
            raise TargetError(f"{self.name} is no address of a server: {error}") from error
        if answer.status_code != 200:
            raise self._failure(answer)
        if HEADER not in answer.headers:
            raise TargetError(f"{self.name} is no server of Trackbook: give the address where `trackbook serve` runs")
        self._note_clock(answer)
        return answer.content

    def _failure(self, answer: httpx.Response) -> Exception:
        code = answer.status_code
        said = one_line(answer.text)[:300] if HEADER in answer.headers else answer.reason_phrase
        remedy = _TOKEN.format(project=self._project)
        if code == 401:
            what = "does not know the token: it is wrong or revoked" if self._has_token else "needs a token"
            return TargetError(f"{self.name} {what}; {remedy}", code)
        if code == 403:
            return TargetError(f"{self.name} refuses the token for project {self._project!r} ({said}); {remedy}", code)
        if code in _LATER:
            return TargetBusy(f"{code} {said}", _retry_after(answer.headers.get("retry-after")))
        if code == 413:
            return TargetBusy(f"{code} {said}", 0.0)  # the next batch is smaller
        if code == 404 or code // 100 == 3:
            return TargetError(
                f"{self.name} takes no uploads ({code}): start it by `trackbook serve`, and give its address as it is, without a page"
            )
        if code == 426:
            return TargetError(f"{self.name} is of another version: {said}")
        return TargetError(f"{self.name} refuses what is sent ({code} {said})")

    def _note_clock(self, answer: httpx.Response) -> None:
        try:
            there = email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp()
        except (KeyError, ValueError):
            return
        ahead = there - time.time()
        self.skew = ahead if abs(ahead) > SKEW_SECONDS else None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConnectionError("the answer was cut short")
    return found


def _blocks(opened: IO[bytes]) -> Iterator[bytes]:
    while block := opened.read(_BLOCK):
        yield block


def _retry_after(text: str | None) -> float | None:
    """Return the seconds of a ``Retry-After`` header, which is a number or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
