"""What is known of a run beside what it logged: a part of `Run`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..store.documents import document

if TYPE_CHECKING:
    import polars as pl

    from ..store.base import Store
    from ..types import RunRecord

SYSTEM_SECONDS: Final = 10.0  # from one point of a system metric to the next
GATHERING_SECONDS: Final = 2.0


class Captured:
    """What `Run` knows of what was captured, and what the captures are to know of it."""

    save_code: bool = True  # whether sources and diffs may be recorded
    system_seconds: float = SYSTEM_SECONDS
    gathered: threading.Event | None = None  # set when the environment is there
    before_reading: list[Callable[[], None]]  # puts into the store what a capture still holds

    store: Store
    _record: RunRecord
    _stay_out_of_children: Callable[[], None]

    @property
    def environment(self) -> dict[str, Any]:
        """Where the run runs, by topic: os, cpu, memory, disk, gpus, python, process, variables, packages, git, notebook.

        A topic that could not be found out says why: ``{"error": ...}``. Empty when nothing was recorded. Of a run that has
        just begun it waits until all is found, at most two seconds.
        """
        self._stay_out_of_children()
        if self.gathered is not None:
            self.gathered.wait(GATHERING_SECONDS)
        return document(self.store, self._record.id, "environment") or {}

    def system(self) -> pl.DataFrame:
        """The system metrics up to now: ``metric`` (str, with its unit), ``value`` (float64), ``time`` (float64, seconds UTC).

        One row a point, metrics in order of first appearance and times ascending.
        """
        from ..data.dataframes import system

        self._stay_out_of_children()
        return system(self.store, self._record.id).drop("step")

    def cells(self) -> pl.DataFrame:
        """The executions of cells while the run was open, in order: the code it ran.

        Columns: ``number`` (int64, from 0), ``cell`` (str, the notebook's id of the cell, null where the host tells none),
        ``count`` (int64, its ``In [count]``), ``source`` (str, as it was written; null with ``init(save_code=False)``),
        ``started`` and ``ended`` (UTC), ``state`` (``running``, ``ok``, ``error`` or ``interrupted``), ``error`` (str, the
        traceback; its end with ``save_code=False``), ``output`` (str, the result that was displayed), ``metrics`` (list of
        str) and ``points`` (int64) that were logged during it, ``dirty`` (str): ``edited since``, ``out of order`` or
        ``run again`` where the notebook no longer shows the cell as it ran, else null. Without rows where no cell was
        recorded, as in scripts.
        """
        from ..data.dataframes import cells_table

        self._stay_out_of_children()
        return cells_table(self.store, self._record.id)

    @property
    def code(self) -> str | None:
        """The source of the script that the run is of. None in notebooks, whose code `cells` has, and with ``save_code=False``."""
        self._stay_out_of_children()
        found: str | None = (document(self.store, self._record.id, "code") or {}).get("source")
        return found

    def console(self) -> pl.DataFrame:
        """What the run's process wrote to stdout and stderr while the run was open, as a terminal shows it.

        One row a line, in order: ``line`` (int64), ``stream`` (``stdout`` or ``stderr``, of the line's first character),
        ``text`` (str, without colours, secrets redacted), ``time`` (float64, seconds UTC), ``cell`` (int64, the ``number`` in
        `cells` of the execution that wrote it, else null). Of a long record the first 5,000 and the last 20,000 lines are kept,
        and a row whose stream is ``cut`` says how many were left out in between.
        """
        from ..data.dataframes import console

        self._stay_out_of_children()
        for put in list(self.before_reading):
            put()
        return console(self.store, self._record.id)
