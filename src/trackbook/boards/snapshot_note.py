"""What a notebook keeps of a board beside the widget and its still: the note that decides which of them is seen.

The note stands directly behind the still. Its rules know a notebook's outputs by Jupyter's class names, which JupyterLab,
Notebook 7 and nbconvert's pages share, and by VS Code's, which were read and not tried. Elsewhere, and where HTML is
sanitised, they do nothing.
"""

from __future__ import annotations

import html
from typing import Final

from .front_end import front_end

_OUTPUT: Final = ".jp-OutputArea-child"
_NOTE: Final = f"{_OUTPUT} > * style.tb-note"
_DRAWN: Final = '[class*="jp-RenderedVega"], .jp-RenderedImage'
_LOST: Final = ".jp-OutputArea-output.lm-Panel.jupyter-widgets"  # a widget that is there has the class further inside

# The note itself; the still beside a live board, in Jupyter and in VS Code; a widget that is lost, above a still that is
# drawn. One rule each: a browser drops a whole rule for a part that it does not know.
RULES: Final = f"""
{_OUTPUT}:has(> * style.tb-note):not(:has(.tb-board)) {{ display: none; }}
.jp-OutputArea:has(.tb-board) > {_OUTPUT}:has(+ {_NOTE}):has(> :is({_DRAWN}, .jp-RenderedText)) {{ display: none; }}
.cell_container:has(.tb-board) > .output_container:has(+ .output_container style.tb-note) {{ display: none; }}
{_OUTPUT}:has(> {_LOST}):has(+ {_OUTPUT} > :is({_DRAWN})):has(+ {_OUTPUT} + {_NOTE}) {{ display: none; }}
"""


def page(session: str) -> str:
    """The note of the board of `session`, as HTML.

    Where a live board is, the still is not seen. Where the widget's model is gone ("Error displaying widget: model not
    found"), only the still is. In a page without kernel that carries the widget's state (nbconvert puts it there) a script
    draws the board from it: widgets in a page need a manager from a CDN, this needs nothing.
    """
    container = f'<div class="tb-page" data-trackbook-session="{html.escape(session)}"></div>'
    return f'{container}<style class="tb-note">{RULES}</style><script>{front_end("fallback.js")}</script>'
