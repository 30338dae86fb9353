"""The HTML page of a saved board. It opens without a network, and its data cannot run as code."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

# `ast`: Vega interprets expressions instead of compiling them, so that the page needs no `unsafe-eval`.
_START: Final = """
vegaEmbed("#chart", JSON.parse(document.getElementById("spec").textContent), {
  mode: "vega-lite", ast: true, actions: {export: true, source: false, compiled: false, editor: false},
}).catch((error) => { document.getElementById("chart").textContent = String(error); });
"""
_STYLE: Final = "body { margin: 16px; font-family: sans-serif; } #chart { width: 100%; }"


def page(spec: Mapping[str, Any]) -> str:
    """Return an HTML page of a Vega-Lite specification.

    The specification is a block of JSON in which no character can end the block. The page's policy allows only our two scripts, by
    their hashes. So a name or text from a user or a file is never markup, and never a script.
    """
    import vl_convert

    library = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # without a snippet: all of vega-embed
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {_source(library)} {_source(_START)}",
            "style-src 'unsafe-inline'",  # Vega styles its own elements
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Trackbook</title>
<style>{_STYLE}</style>
<script>{library}</script>
</head>
<body>
<div id="chart"></div>
<script type="application/json" id="spec">{as_data(spec)}</script>
<script>{_START}</script>
</body>
</html>
"""


def as_data(value: Any) -> str:
    """Return JSON that is safe in a script block of a page."""
    text = json.dumps(value)  # ASCII, without JavaScript's line separators
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _source(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"
