"""Files whose frames are whole and whose records are of any form: as of a later version, or made to harm."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_stores import (
    SWANLAB,
    WANDB,
    event,
    leveldb,
    message,
    simple,
    swanlab_finish,
    swanlab_scalar,
    swanlab_start,
    tf_record,
    values,
    wandb_exit,
    wandb_history,
    wandb_run,
)
from trackbook.imports.importing import import_source
from trackbook.store.memory import MemoryStore
from trackbook.user_warnings import TrackbookWarning

FIELD = st.integers(1, 20) | st.sampled_from([100, 200])
SCALARS = st.one_of(
    st.integers(0, 2**64 - 1),
    st.floats(),
    st.binary(max_size=12),
    st.sampled_from(["_step", "NaN", "{", "[1]", "null"]),
)
MESSAGES = st.recursive(
    SCALARS,
    lambda inner: st.lists(st.tuples(FIELD, inner), max_size=5).map(lambda fields: message(*fields)),
    max_leaves=12,
)
RECORDS = st.lists(st.lists(st.tuples(FIELD, MESSAGES), max_size=4).map(lambda fields: message(*fields)), max_size=6)


def frames(header: bytes) -> Callable[[Iterable[bytes]], bytes]:
    return lambda records: leveldb(header, records)


Form = tuple[
    str, Callable[[Iterable[bytes]], bytes], list[bytes], list[bytes]
]  # file, frames, and records around others
FORMS: dict[str, Form] = {
    "wandb": ("run-w1.wandb", frames(WANDB), [wandb_run("w1")], [wandb_history(2**50, last=1.5), wandb_exit()]),
    "swanlab": (
        "run-s1.swanlab",
        frames(SWANLAB),
        [swanlab_start("s1")],
        [swanlab_scalar("last", 2**50, 1.5), swanlab_finish()],
    ),
    "tensorboard": (
        "events.out.tfevents.1",
        lambda records: b"".join(map(tf_record, records)),
        [event(0)],
        [event(2**50, simple("last", 1.5))],
    ),
}


@pytest.mark.parametrize("kind", list(FORMS))
@settings(max_examples=80, deadline=None)
@given(records=RECORDS)
def test_records_of_any_form_hide_no_others(
    tmp_path_factory: pytest.TempPathFactory, kind: str, records: list[bytes]
) -> None:
    name, frame, before, after = FORMS[kind]
    folder = tmp_path_factory.getbasetemp() / kind
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(frame([*before, *records, *after]))
    store = MemoryStore()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrackbookWarning)
        ((_, record),) = import_source(folder, None, lambda _: store)
    assert store.run(record.id) == record
    assert 1.5 in values(store, record.id)["last"]
