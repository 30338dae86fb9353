"""Reads exports with other libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackbook.data.dataframes import LONG


def read_duckdb(path: Path) -> list[tuple[Any, ...]]:
    duckdb = pytest.importorskip("duckdb")
    query = (
        f"select {', '.join(map(repr_column, LONG))} from read_parquet('{path}/**/*.parquet', hive_partitioning=true)"
    )
    with duckdb.connect() as connection:
        return list(connection.execute(query).fetchall())


def repr_column(name: str) -> str:
    return f'"{name}"'


def read_pandas(path: Path) -> list[tuple[Any, ...]]:
    pytest.importorskip("pyarrow")
    table = pytest.importorskip("pandas").read_parquet(path)
    return list(table[list(LONG)].itertuples(index=False, name=None))


def read_pyarrow(path: Path) -> list[tuple[Any, ...]]:
    dataset = pytest.importorskip("pyarrow.dataset")
    table = dataset.dataset(path, partitioning="hive").to_table(columns=list(LONG))
    return list(zip(*table.to_pydict().values(), strict=True))


def read_polars(path: Path) -> list[tuple[Any, ...]]:
    return pl.read_parquet(path).select(*LONG).rows()


READERS = [read_polars, read_duckdb, read_pandas, read_pyarrow]
