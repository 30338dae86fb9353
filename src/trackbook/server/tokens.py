"""The tokens of a server: made, listed and revoked by the command line while it runs. Only their hashes are stored."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from .. import filesystem

FILE: Final = "server-tokens.json"
PREFIX: Final = "tbk_"  # by which people, and scanners of secrets, know a token
_TOKEN: Final = re.compile(r"tbk_([0-9a-f]{8})_([A-Za-z0-9_-]{32})")
_PATIENCE_SECONDS: Final = 5.0  # for another command that changes the file


@dataclass(frozen=True, slots=True)
class Token:
    """What is stored of a token. The token itself has 192 random bits, so one round of SHA-256 is enough."""

    id: str  # the part of the token that is no secret
    digest: str
    project: str | None  # the only project that it is for; None: all
    may_write: bool
    created: float  # seconds UTC
    note: str = ""


class TokenFile:
    """The tokens of one data folder. Safe to use from any thread and process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._known: tuple[Any, dict[str, Token]] = None, {}

    def create(self, *, project: str | None = None, may_write: bool = False, note: str = "") -> str:
        """Return a new token, which is shown this once. Raises ``OSError``."""
        name = secrets.token_hex(4)
        token = f"{PREFIX}{name}_{secrets.token_urlsafe(24)}"
        with self._changing() as tokens:
            tokens[name] = Token(name, _digest(token), project, may_write, time.time(), note)
        return token

    def tokens(self) -> list[Token]:
        """Return all tokens, oldest first. Raises ``OSError`` and ``ValueError`` where the file cannot be read."""
        return sorted(self._read().values(), key=lambda token: token.created)

    def revoke(self, id: str) -> bool:
        """Remove a token by its id, and return whether there was one. A running server refuses it from then on."""
        with self._changing() as tokens:
            return tokens.pop(id, None) is not None

    def find(self, text: str) -> Token | None:
        """Return the token of which this is the text, None for any other text."""
        found = _TOKEN.fullmatch(text)
        token = None if found is None else self._now().get(found[1])
        return token if token is not None and hmac.compare_digest(token.digest, _digest(text)) else None

    def find_cookie(self, value: str, secret: bytes) -> Token | None:
        """Return the token for which `cookie` with the same `secret` returned this value."""
        token = self._now().get(value.partition(".")[0])
        return (
            token
            if token is not None
            and hmac.compare_digest(cookie(token, secret).encode(), value.encode("utf-8", "replace"))
            else None
        )

    def _now(self) -> dict[str, Token]:
        """Return the tokens; none when the file cannot be read: who cannot be checked is not let in."""
        try:
            return self._read()
        except (OSError, ValueError):
            return {}

    def _read(self) -> dict[str, Token]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return {}
        stamp = found.st_mtime_ns, found.st_size, found.st_ino
        if self._known[0] != stamp:
            rows = json.loads(self._path.read_text("utf-8"))
            try:
                self._known = stamp, {row["id"]: Token(**row) for row in rows}
            except (TypeError, KeyError) as error:
                raise ValueError(f"{self._path} is damaged: {error}") from error
        return self._known[1]

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Token]]:
        """Give the tokens to be changed, and write them afterwards, while no other command does."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = self._path.with_name(self._path.name + ".lock")
        until = time.monotonic() + _PATIENCE_SECONDS
        while (held := filesystem.hold(lock, create=True)) is None:
            if time.monotonic() > until:
                raise OSError(f"{self._path} is being changed by another process")
            time.sleep(0.01)
        try:
            tokens = dict(self._read())
            yield tokens
            temporary = self._path.with_name(f".{FILE}-{secrets.token_hex(4)}")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                _give_to_owner(descriptor, self._path.parent)
                json.dump([asdict(token) for token in tokens.values()], file, indent=1)
            temporary.replace(self._path)
        finally:
            lock.unlink(missing_ok=True)
            os.close(held)


def cookie(token: Token, secret: bytes) -> str:
    """Return the value of the cookie that a browser gets for a token. A revoked token's means nothing any more."""
    return f"{token.id}.{hmac.new(secret, token.digest.encode(), hashlib.sha256).hexdigest()}"


def _give_to_owner(descriptor: int, folder: Path) -> None:
    """Give a file of root to whom its folder belongs: a server that runs as another user reads what `sudo trackbook token` writes."""
    if sys.platform != "win32" and os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
