"""A board in a page without kernel: what an executed notebook keeps beside the widget, for HTML made of it."""

from __future__ import annotations

import html

from ._front_end import front_end


def page(session: str) -> str:
    """HTML that draws the board of `session` from the widget state that the same page carries (nbconvert puts it there).

    Widgets in a page need a manager from a CDN; this needs nothing. Where there is a live widget it shows nothing.
    """
    container = f'<div class="tb-page" data-trackbook-session="{html.escape(session)}"></div>'
    return f"{container}<script>{front_end('fallback.js')}</script>"
