"""HTML pages of one file. They open without a network, and their data cannot run as code."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

# `ast`: Vega interprets expressions instead of compiling them, so that the page needs no `unsafe-eval`.
_START: Final = """
vegaEmbed("#chart", JSON.parse(document.getElementById("spec").textContent), {
  mode: "vega-lite", ast: true, actions: {export: true, source: false, compiled: false, editor: false},
}).catch((error) => { document.getElementById("chart").textContent = String(error); });
"""
_STYLE: Final = "body { margin: 16px; font-family: sans-serif; } #chart { width: 100%; }"


def page(spec: Mapping[str, Any]) -> str:
    """Return an HTML page of a Vega-Lite specification."""
    import vl_convert

    library = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # without a snippet: all of vega-embed
    body = ['<div id="chart"></div>\n', data_block("spec", "application/json", as_data(spec))]
    return "".join(document("Trackbook", _STYLE, body, [library, _START]))


def document(
    title: str,
    style: str,
    body: Iterable[str],
    scripts: Sequence[str],
    *,
    is_module: bool = False,
    framed: Sequence[str] = (),
) -> Iterator[str]:
    """Yield the parts of an HTML page, with its `scripts` after its `body`.

    The page's policy allows only these scripts, and those `framed` ones that its frames hold, by their hashes, and no connections. Names and texts from a user or a file
    belong into a `data_block`, so that they are never markup, and never a script.
    """
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(script_source, [*scripts, *framed]))}",
            "style-src 'unsafe-inline'",  # Vega styles its own elements
            "img-src data: blob:",
            "media-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    yield f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
"""
    yield from body
    for script in scripts:
        yield f"<script{' type=module' if is_module else ''}>{script}</script>\n"
    yield "</body>\n</html>\n"


def data_block(name: str, kind: str, text: str) -> str:
    """Return an element that a script finds by its id. `text` must not hold markup: base64, or `as_data`."""
    return f'<script type="{kind}" id="{name}">{text}</script>\n'


def as_data(value: Any) -> str:
    """Return JSON that is safe in a script block of a page."""
    text = json.dumps(value)  # ASCII, without JavaScript's line separators
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def script_source(script: str) -> str:
    """Return what allows a script by its hash in a page's policy."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"
