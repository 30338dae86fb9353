"""Charts of pyecharts under the name that SwanLab gives them: ``trackbook.echarts.Bar()``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from . import table as tables
from .values import Media, MissingEncoderError


class MissingChart(Media):
    """A chart of pyecharts, which is not installed: `log` says so. Every method may be called, and has no effect."""

    kind = "echarts"

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()
        self._encoded = MissingEncoderError("a chart of ECharts needs pyecharts: pip install pyecharts")

    def __getattr__(self, name: str) -> Callable[..., Self]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_, **__: self


class Table(tables.Table):
    """A table as pyecharts has it: its columns and rows are added."""

    def add(self, headers: Sequence[str], rows: Sequence[Sequence[Any]], *_: Any, **__: Any) -> Self:
        """Set the columns and rows. Raises ``ValueError`` for a row of another length."""
        super().__init__([*headers], [*rows])
        return self

    def set_global_opts(self, *_: Any, **__: Any) -> Self:
        """Ignore options."""
        return self


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        from pyecharts import charts, components
    except ImportError:
        return MissingChart
    found = getattr(charts, name, None) or getattr(components, name, None)
    if found is None:
        raise AttributeError(f"pyecharts has no chart {name!r}")
    return found
