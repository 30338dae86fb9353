"""What other processes log to a run that this process writes: taken up from the journals of their own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..journal.reader import of_run
from .recovery import take_over

if TYPE_CHECKING:
    from .run_writer import RunWriter


def take_up(writer: RunWriter) -> None:
    """Move new points, media and alerts of other processes into the store. Called under the lock of the hand-over.

    Alerts come first: a store that cannot write keeps points waiting, and alerts may be about just that.
    """
    assert writer.journals is not None
    for left in of_run(writer.journals, writer.id, but=writer.recorder.journal.name):
        with contextlib.closing(left), contextlib.suppress(OSError):  # the next hand-over tries again
            writer.alerts.take_up(left)
            numbered = writer.media.numbered(left)
            writer.note_discarded(take_over(writer.store, left, writer.recorder, writer.alerts.look, numbered))
            writer.media.take_up(left)
            if left.dead and writer.store.flush() and left.remove():
                writer.store.clear_marks(left.folder.name)
