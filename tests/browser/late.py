"""Pages that are always late: a test that reads before it has waited fails on them each time, not once in a hundred runs.

`make browser-late` runs the browser tests so. Animation frames, answers, messages and the ends of dialogs
come late by `TRACKBOOK_LATE` ms.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser

if TYPE_CHECKING:
    import pytest
    from playwright.sync_api import BrowserContext

VARIABLE = "TRACKBOOK_LATE"

LATE = """(() => {
    const late = MILLISECONDS;
    const [frame, cancel, fetchNow] = [requestAnimationFrame, cancelAnimationFrame, fetch];
    const frames = new Map();
    let last = 1e9;
    window.requestAnimationFrame = (draw) => {
        const id = ++last;
        frames.set(id, setTimeout(() => frame((time) => frames.delete(id) && draw(time)), late));
        return id;
    };
    window.cancelAnimationFrame = (id) => {
        if (!frames.has(id)) return cancel(id);
        clearTimeout(frames.get(id));
        frames.delete(id);
    };
    window.fetch = async (...asked) => {
        const answer = await fetchNow(...asked);
        await new Promise((resolve) => setTimeout(resolve, late));
        return answer;
    };
    const laterFor = (target, heard) => (event) => setTimeout(() => heard.call(target, event), late);
    const closed = new WeakSet();  // by the page, which hears nothing any more
    const unlessClosed = (socket, heard) =>
        laterFor(socket, (event) => closed.has(socket) || heard.call(socket, event));
    HTMLDialogElement.prototype.addEventListener = function (kind, heard, options) {
        EventTarget.prototype.addEventListener.call(this, kind, kind === "close" ? laterFor(this, heard) : heard, options);
    };
    window.WebSocket = class extends WebSocket {
        addEventListener(kind, heard, options) {
            super.addEventListener(kind, kind === "message" ? unlessClosed(this, heard) : heard, options);
        }
        set onmessage(heard) { super.onmessage = heard && unlessClosed(this, heard); }
        get onmessage() { return super.onmessage; }
        close(...reason) {
            closed.add(this);
            super.close(...reason);
        }
    };
})()"""


def make_pages_late(patch: pytest.MonkeyPatch) -> None:
    """Let every page of a context be late, where the environment asks for it."""
    if not (milliseconds := int(os.environ.get(VARIABLE, "0"))):
        return
    new_context = Browser.new_context

    def late(browser: Browser, **options: Any) -> BrowserContext:
        context = new_context(browser, **options)
        context.add_init_script(LATE.replace("MILLISECONDS", str(milliseconds)))
        return context

    patch.setattr(Browser, "new_context", late)
