"""The note behind a board's snapshot in a notebook, which hides either the widget or the snapshot.

Its rules select outputs by the class names of JupyterLab, Notebook 7 and nbconvert's pages, and by those of VS Code, which were taken
from its source and not tried. In other hosts, and where HTML is sanitised, they have no effect.
"""

from __future__ import annotations

import html
from typing import Final

from .built_files import built_file

_OUTPUT: Final = ".jp-OutputArea-child"
_NOTE: Final = f"{_OUTPUT} > * style.tb-note"
_DRAWN: Final = '[class*="jp-RenderedVega"], .jp-RenderedImage'
_LOST: Final = ".jp-OutputArea-output.lm-Panel.jupyter-widgets"  # a living widget has the class further inside

# The rules hide the note itself, the snapshot beside a live board (in Jupyter, and in VS Code), and a lost widget above a drawn
# snapshot. There are four rules, because a browser drops a whole rule if it does not know a part of it.
RULES: Final = f"""
{_OUTPUT}:has(> * style.tb-note):not(:has(.tb-board)) {{ display: none; }}
.jp-OutputArea:has(.tb-board) > {_OUTPUT}:has(+ {_NOTE}):has(> :is({_DRAWN}, .jp-RenderedText)) {{ display: none; }}
.cell_container:has(.tb-board) > .output_container:has(+ .output_container style.tb-note) {{ display: none; }}
{_OUTPUT}:has(> {_LOST}):has(+ {_OUTPUT} > :is({_DRAWN})):has(+ {_OUTPUT} + {_NOTE}) {{ display: none; }}
"""


def snapshot_note(session: str) -> str:
    """Return the note for the board of `session`, as HTML.

    Beside a live board the snapshot is hidden. When the model of the widget is gone ("Error displaying widget: model
    not found"), the widget is hidden. In a page without a kernel that contains the widget's state (written by nbconvert) a script
    draws the board from the state: widgets in a page need a manager from a CDN, but the script needs nothing.
    """
    container = f'<div class="tb-page" data-trackbook-session="{html.escape(session)}"></div>'
    return f'{container}<style class="tb-note">{RULES}</style><script>{built_file("fallback.js")}</script>'
