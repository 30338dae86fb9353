"""Removal of media files that no run uses any more, and of the media of a run that is cut back."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..journal.reader import calls_of_all
from ..media.files import MediaFiles
from ..media.index import parsed
from ..store.base import Store
from ..store.media_files import names_of_run
from .logged_media import rows_of


def sweep(store: Store, journals: Path, names: Collection[str]) -> None:
    """Remove those files of `names` that neither a run of the store uses, nor a journal whose rows are not in the store yet.

    While that is looked up, no process records media, so a file that is just being logged again is kept. Where files cannot be locked,
    nothing is removed. Raises ``OSError`` when the store or a journal cannot be read; nothing is removed then.
    """
    if not names or store.files_folder is None:
        return
    files = MediaFiles(store.files_folder)
    with files.sweeping() as alone:
        if alone:
            files.remove(names, _used(store, journals))


def cut(store: Store, journals: Path, run_id: str, step: int) -> None:
    """Delete the media of a run after `step`, and the files that only they used. Raises ``OSError`` as `sweep`."""
    after = [row for row in rows_of(store, run_id) if row.step > step]
    for row in after:
        store.drop_captured(run_id, "media", row.number, row.number + 1)
    if after and store.flush():
        sweep(store, journals, {name for row in after for name in row.files})


def _used(store: Store, journals: Path) -> set[str]:
    used = {name for call in calls_of_all(journals) for row in parsed(call) for name in row.files}
    for run in store.runs():
        used |= names_of_run(store, run.id)
    return used
