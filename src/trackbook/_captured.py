"""What a run gives of what was captured beside its points."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from .store._interface import Store


class Captured:
    """The part of a `Run` that gives it."""

    if TYPE_CHECKING:
        store: Store

        @property
        def id(self) -> str: ...

    def cells(self) -> pl.DataFrame:
        """The executions of cells while the run was open, in order: the code it ran.

        Columns: ``number`` (int64, from 0), ``cell`` (str, the notebook's id of the cell, null where the host tells none),
        ``count`` (int64, its ``In [count]``), ``source`` (str, as it was written; null with ``init(save_code=False)``),
        ``started`` and ``ended`` (UTC), ``state`` (``running``, ``ok``, ``error`` or ``interrupted``), ``error`` (str, the
        traceback), ``output`` (str, the result that was displayed), ``metrics`` (list of str) and ``points`` (int64) that were
        logged during it, ``dirty`` (str): ``edited since``, ``out of order`` or ``run again`` where the notebook no longer
        shows the cell as it ran, else null. Without rows where no cell was recorded, as in scripts.
        """
        from ._tables import cells_table

        return cells_table(self.store, self.id)
