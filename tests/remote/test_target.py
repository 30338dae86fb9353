"""The double of targets keeps the contract, and addresses lead to targets."""

from __future__ import annotations

import pytest

from remote.faulty_target import MemoryTarget, Place
from remote.target_contract import Stored, TargetContract, rows
from trackbook.remote.target import TargetError, open_target, shown


class TestMemoryTarget(TargetContract):
    def open(self, place: Place, source: str = "source") -> MemoryTarget:
        return MemoryTarget(place, source)

    def stored(self, place: Place, run_id: str) -> Stored | None:
        if run_id not in place.runs:
            return None
        return Stored(place.runs[run_id], rows(place.points[run_id]), place.documents.get((run_id, "console"), {}))

    @pytest.fixture
    def place(self) -> Place:
        return Place()


def opened(where: str) -> None:
    open_target(where, project="digits", source="s")


def test_an_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(TargetError, match="cannot upload to ftp://host: give https://HOST, s3://"):
        opened("ftp://host")


@pytest.mark.parametrize("where", ["https://me:secret@host/x", "https://secret@host", "https://host?token=secret"])
def test_an_address_with_a_secret_is_refused_without_repeating_it(where: str) -> None:
    with pytest.raises(TargetError, match="set TRACKBOOK_TOKEN instead") as refused:
        opened(where)
    assert "secret@" not in str(refused.value)
    assert "=secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("where", "said"),
    [("https://u:p@host/a?token=x#y", "https://host/a"), ("s3://bucket/team/", "s3://bucket/team"), ("/a/b", "/a/b")],
)
def test_addresses_are_shown_without_secrets(where: str, said: str) -> None:
    assert shown(where) == said
