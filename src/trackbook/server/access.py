"""Access control: tokens, cookies, and the allowed origins of requests."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import html
import ipaddress
import os
import secrets
from collections.abc import Collection, Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from ..boards import viewers
from ..remote.wire import BEARER_HEADER
from .tokens import cookie as token_cookie

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .tokens import TokenFile

HEALTH: Final = "/healthz"  # answered for everybody: the server runs
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
TOKEN_BYTES: Final = 24
SECRET_BYTES: Final = 32
_READING: Final = frozenset({"GET", "HEAD"})
_ASK: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Trackbook</title>
<style>
:root {{ color-scheme: light dark; }}
body {{
  max-width: 60ch; margin: 0; padding: 10px 20px;
  color: light-dark(#16181d, #e6e8ec); background: light-dark(#fff, #111317); font: 13px/1.5 system-ui, sans-serif;
}}
h1 {{ margin: 0 0 12px; font-size: inherit; }}
[role="alert"] {{ color: light-dark(#b3261e, #ff8a80); }}
input, button {{ padding: 5px 8px; border: 1px solid #8a8f98; border-radius: 4px; font: inherit; }}
</style>
<h1>Trackbook</h1>
<form>{said}<p>This page needs a token: <code>trackbook show</code> printed one; for <code>trackbook serve</code>,
<code>trackbook token create</code> makes one.</p>
{kept}<input name="token" type="password" aria-label="Token" autofocus> <button>Open</button></form>
</html>
"""
_WRONG: Final = '<p role="alert">This token is not known here: it is wrong, or it was revoked.</p>\n'


class Grant(NamedTuple):
    """The permissions of a token."""

    project: str | None = None  # the only project to be seen; None: all
    may_write: bool = False


class Access:
    """The tokens of one server, and the hosts and pages that it answers."""

    def __init__(
        self,
        *,
        secret: bytes | None = None,
        may_write: bool = False,
        hosts: Collection[str] = (),
        any_address: bool = False,
        embed_from: Collection[str] = (),
        tokens: TokenFile | None = None,
        writers: Collection[str] = (),
        is_public: bool = False,
    ) -> None:
        """Exchange the token for a cookie that `secret` makes: pages stay open over a restart of the server with the same one.

        Answer requests for `hosts` beside the local ones, and with `any_address` for every IP address.

        Pages of the origins `embed_from` may show this server in an ``<iframe>``.

        `tokens` are let in beside the server's own token, as long as they are not revoked, and so are `writers`, which are tokens that
        write to all projects.

        `is_public`: whoever reaches this server may read, under whatever name, and pages of other sites, too.
        """
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.embed_from = tuple(embed_from)
        self._hosts = LOCAL | {host.lower() for host in hosts}
        self._any_address = any_address
        self._grants: dict[str, Grant] = {}  # by token
        self._cookies: dict[str, Grant] = {}
        self._cookie_of: dict[str, str] = {}  # by token
        self._tokens = tokens
        self.is_public = is_public
        for token in writers:
            self._add(token, Grant(may_write=True), secrets.token_urlsafe(TOKEN_BYTES))
        self._secret = owner = secrets.token_bytes(TOKEN_BYTES) if secret is None else secret
        self._add(self.token, Grant(may_write=may_write), hmac.new(owner, b"owner", hashlib.sha256).hexdigest())

    def share(self, project: str) -> str:
        """Return a new token that shows one project and changes nothing."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._add(token, Grant(project=project), secrets.token_urlsafe(TOKEN_BYTES))
        return token

    def _add(self, token: str, grant: Grant, cookie: str) -> None:
        self._grants[token] = grant
        self._cookie_of[token] = cookie
        self._cookies[cookie] = grant

    def cookie(self, token: str) -> str | None:
        """Return the value of the cookie for a token, None for a wrong token."""
        known = _equal(token, self._cookie_of)
        if known is not None:
            return self._cookie_of[known]
        kept = None if self._tokens is None else self._tokens.find(token)
        return None if kept is None else token_cookie(kept, self._secret)

    def grant(self, cookies: str) -> Grant | None:
        """Return the permissions of a request's ``Cookie`` header, None without any."""
        for value in _values(cookies):
            if (known := _equal(value, self._cookies)) is not None:
                return self._cookies[known]
            kept = None if self._tokens is None else self._tokens.find_cookie(value, self._secret)
            if kept is not None:
                return Grant(kept.project, kept.may_write)
        return Grant() if self.is_public else None

    def bearer(self, authorization: str) -> Grant | None:
        """Return the permissions of an ``Authorization`` header, which no other site can make a browser send."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        if (known := _equal(token.strip(), self._grants)) is not None:
            return self._grants[known]
        kept = None if self._tokens is None else self._tokens.find(token.strip())
        return None if kept is None else Grant(kept.project, kept.may_write)

    def answers_for(self, host: str) -> bool:
        """Whether a ``Host`` header names this server. Another name may have been made to point here (DNS rebinding)."""
        name = _host_name(host)
        return name is not None and (name in self._hosts or (self._any_address and _is_address(name)))

    def comes_from_here(self, origin: str | None, host: str) -> bool:
        """Whether a request comes from a page of this server, or not from a page at all."""
        return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def kept_secret(folder: Path) -> bytes | None:
    """Return the secret that servers of this user share, made at first use; None if it cannot be stored."""
    path = folder / "cookie-secret"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as made:
                made.write(secrets.token_bytes(SECRET_BYTES))
        secret = path.read_bytes()
    except OSError:
        return None
    return secret if len(secret) == SECRET_BYTES else None


class Guard:
    """Passes only requests that `Access` allows, and adds security headers to every response.

    The permissions of a request are in its scope as ``grant``.
    """

    def __init__(self, app: ASGIApp, access: Access, cookie: str) -> None:
        """`cookie` is its name: servers of one machine share their cookies, whatever their port."""
        self._app = app
        self._access = access
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_page = scope["type"] == "http"
        refused = self._answer(scope, headers)
        if is_page:
            send = self._with_headers(send, headers.get("host", ""))
        if refused is None:
            await self._app(scope, receive, send)
        elif is_page:
            await refused(scope, receive, send)
        else:
            await _refuse_socket(scope, receive, send, refused.status_code)

    def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the answer to a request that is not passed on; of one that is, put the permissions into its scope."""
        is_page = scope["type"] == "http"
        if is_page and scope["path"] == HEALTH:
            return PlainTextResponse("ok\n")
        given = headers.get(BEARER_HEADER)
        grant = self._access.bearer(headers.get("authorization", "") if given is None else f"Bearer {given}")
        if grant is None:
            foreign = self._foreign(scope, headers)
            if foreign is not None and not self._access.is_public:
                return foreign
            if foreign is None and is_page and (entered := self._enter(scope)) is not None:
                return entered
            grant = self._access.grant("" if foreign else headers.get("cookie", ""))
        scope["grant"] = grant
        return _ask(scope) if grant is None else None

    def _foreign(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the refusal of a request under another name or from another site, for which no cookie may speak."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._access.answers_for(host):
            return PlainTextResponse(f"This server does not answer for {host[:200]!r}.", 403)
        is_change = scope["type"] != "http" or scope["method"] not in _READING
        if is_change and not self._access.comes_from_here(origin, host):
            return PlainTextResponse("This request comes from another site.", 403)
        return None

    def _enter(self, scope: Scope) -> RedirectResponse | None:
        """Exchange the token of an address for a cookie, and redirect to the address without it."""
        given = _query(scope)
        token = dict(given).get("token")
        cookie = None if token is None else self._access.cookie(token)
        if cookie is None:
            return None
        rest = urlencode([(name, value) for name, value in given if name != "token"])
        answer = RedirectResponse(f"./?{rest}" if rest else "./", 303)
        # In a frame of another site a browser keeps only cookies that belong to that site's page: it enters by the token, too.
        rules = "SameSite=None; Secure; Partitioned" if self._access.embed_from else "SameSite=Strict"
        answer.headers["set-cookie"] = f"{self._cookie}={cookie}; HttpOnly; Path=/; {rules}"
        return answer

    def _with_headers(self, send: Send, host: str) -> Send:
        ancestors = " ".join(["'self'", *self._access.embed_from])
        scripts = " ".join(["'self'", *viewers.sources()])  # frames have the policy of the page around them, too
        policy = (
            f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            "media-src data: blob:; "
            f"connect-src 'self' ws://{host} wss://{host}; font-src 'self'; base-uri 'none'; form-action 'self'; "
            f"frame-ancestors {ancestors}"
        )
        added: Mapping[str, str] = {
            "content-security-policy": policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-resource-policy": "same-origin",
        }

        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                more = [(name.encode(), value.encode("latin-1", "replace")) for name, value in added.items()]
                message["headers"] = [*message["headers"], *(item for item in more if item[0] not in names)]
            await send(message)

        return send_more


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _ask(scope: Scope) -> HTMLResponse:
    """Return the page that asks for a token, and then opens the same address with it."""
    given = _query(scope)
    kept = [
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">\n'
        for name, value in given
        if name != "token"
    ]
    return HTMLResponse(_ASK.format(said=_WRONG if "token" in dict(given) else "", kept="".join(kept)), 401)


async def _refuse_socket(scope: Scope, receive: Receive, send: Send, status: int) -> None:
    await receive()  # the request to connect
    if "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": status, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": 1008})


def _equal(given: str, known: Mapping[str, Any]) -> str | None:
    """Return the key that equals `given`, in a time that does not depend on the keys."""
    found = None
    for key in known:
        if hmac.compare_digest(given.encode("utf-8", "replace"), key.encode()):
            found = key
    return found


def _values(cookies: str) -> list[str]:
    try:
        return [morsel.value for morsel in SimpleCookie(cookies).values()]
    except CookieError:
        return []


def _host_name(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and not parts.username else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
