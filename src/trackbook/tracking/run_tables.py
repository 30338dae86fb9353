"""What was captured of a run beside its points, as tables: methods of `Run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from .run import Run


def system(self: Run) -> pl.DataFrame:
    """Return the system metrics up to now: ``metric`` (str, with its unit), ``value`` (float64), ``time`` (float64, seconds UTC).

    There is one row for each point, with metrics in order of first appearance and times ascending.
    """
    from ..data.dataframes import system as read

    writer = self._writer
    writer.refuse_in_child()
    return read(writer.store, self.id).drop("step")


def cells(self: Run) -> pl.DataFrame:
    """Return the cells executed while the run was open, in order.

    Columns: ``number`` (int64, from 0), ``cell`` (str, the notebook's id of the cell, null if the host sends none),
    ``count`` (int64, its ``In [count]``), ``source`` (str; null with ``init(save_code=False)``),
    ``started`` and ``ended`` (UTC), ``state`` (``running``, ``ok``, ``error`` or ``interrupted``), ``error`` (str, the
    traceback; only its end with ``save_code=False``), ``output`` (str, the displayed result), ``metrics`` (list of
    str) and ``points`` (int64) that were logged during it, ``dirty`` (str): ``edited since``, ``out of order`` or
    ``run again`` when the notebook no longer shows the cell as it was executed, else null. Empty when no cell was
    recorded, as in scripts.
    """
    from ..data.dataframes import cells_table

    writer = self._writer
    writer.refuse_in_child()
    return cells_table(writer.store, self.id)


def console(self: Run) -> pl.DataFrame:
    """Return the process's output to stdout and stderr while the run was open, as a terminal shows it.

    One row for each line, in order: ``line`` (int64), ``stream`` (``stdout`` or ``stderr``, of the line's first character),
    ``text`` (str, without colours, secrets redacted), ``time`` (float64, seconds UTC), ``cell`` (int64, the ``number`` in
    `cells` of the execution that wrote it, else null). Of a long output the first 5,000 and the last 20,000 lines are kept,
    and a row with the stream ``cut`` gives the number of lines left out in between.
    """
    from ..data.dataframes import console as read

    writer = self._writer
    writer.refuse_in_child()
    for put in list(writer.before_reading):
        put()
    return read(writer.store, self.id)
