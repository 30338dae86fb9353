"""The note behind a board's snapshot in a notebook, which decides whether the widget or the snapshot is seen.

Its rules know the outputs of a notebook by Jupyter's class names, which JupyterLab, Notebook 7 and nbconvert's pages share,
and by VS Code's, which were read in its source and not tried. Elsewhere, and where HTML is sanitised, they do nothing.
"""

from __future__ import annotations

import html
from typing import Final

from .front_end import built_file

_OUTPUT: Final = ".jp-OutputArea-child"
_NOTE: Final = f"{_OUTPUT} > * style.tb-note"
_DRAWN: Final = '[class*="jp-RenderedVega"], .jp-RenderedImage'
_LOST: Final = ".jp-OutputArea-output.lm-Panel.jupyter-widgets"  # a living widget has the class further inside

# Hidden are: the note itself; the snapshot beside a live board, in Jupyter and in VS Code; a lost widget above a drawn
# snapshot. Four rules, because a browser drops a whole rule for one part that it does not know.
RULES: Final = f"""
{_OUTPUT}:has(> * style.tb-note):not(:has(.tb-board)) {{ display: none; }}
.jp-OutputArea:has(.tb-board) > {_OUTPUT}:has(+ {_NOTE}):has(> :is({_DRAWN}, .jp-RenderedText)) {{ display: none; }}
.cell_container:has(.tb-board) > .output_container:has(+ .output_container style.tb-note) {{ display: none; }}
{_OUTPUT}:has(> {_LOST}):has(+ {_OUTPUT} > :is({_DRAWN})):has(+ {_OUTPUT} + {_NOTE}) {{ display: none; }}
"""


def snapshot_note(session: str) -> str:
    """Return the note for the board of `session`, as HTML.

    Where a live board is, the snapshot is hidden. Where the model of the widget is gone ("Error displaying widget: model
    not found"), the widget is. In a page without a kernel that carries the widget's state (nbconvert writes it) a script
    draws the board from it: widgets in a page need a manager from a CDN, the script needs nothing.
    """
    container = f'<div class="tb-page" data-trackbook-session="{html.escape(session)}"></div>'
    return f'{container}<style class="tb-note">{RULES}</style><script>{built_file("fallback.js")}</script>'
