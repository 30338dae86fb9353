"""What a lake says when something is wrong with it: one sentence with a remedy, without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from polars.exceptions import PanicException

import trackbook as tb
from remote.local_s3 import BEFORE, SLOW, LocalS3
from remote.target_contract import batch
from trackbook.remote import lake_tables
from trackbook.remote.lake_errors import plainly
from trackbook.remote.lake_store import open_lake
from trackbook.remote.lake_tables import Lake
from trackbook.remote.lake_target import LakeTarget
from trackbook.remote.target import TargetBusy, TargetError


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalS3]:
    server = LocalS3()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.close()


def put(where: str) -> str:
    """Return what an upload to `where` is refused with."""
    with pytest.raises(TargetError) as refused:
        LakeTarget(where, project="digits", source="one").put(batch(0, 3))
    return str(refused.value)


def test_a_bucket_that_is_missing(s3: LocalS3) -> None:
    assert put("s3://nobodys/team") == "s3://nobodys/team: there is no such bucket; make it, or correct the address"
    with pytest.raises(OSError, match="there is no such bucket"):
        tb.runs("s3://nobodys/team")


def test_no_credentials(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    said = put(f"s3://{s3.bucket()}/team")
    assert "no credentials were found; set AWS_ACCESS_KEY_ID" in said
    assert "a-secret-of-a-test" not in said


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [("403 Forbidden", "these credentials may not do that"), ("501 Not Implemented", "has no conditional writes")],
)
def test_a_bucket_that_refuses_writes(s3: LocalS3, answer: str, remedy: str) -> None:
    where = f"s3://{s3.bucket()}/team"
    s3.fault = lambda method, _: answer if method == "PUT" else None
    said = put(where)
    assert remedy in said
    assert "AKIA" not in said


def test_a_server_that_is_slow_is_asked_again(s3: LocalS3) -> None:
    where = f"s3://{s3.bucket()}/team"
    s3.fault = lambda _method, _path: SLOW
    with pytest.raises(OSError, match=re.escape(where)) as failed:
        LakeTarget(where, project="digits", source="one").put(batch(0, 3))
    assert "127.0.0.1" not in str(failed.value)
    s3.fault = lambda _method, _path: None
    assert LakeTarget(where, project="digits", source="one").put(batch(0, 3)).ordinal == 3


def test_file_of_a_table_that_cannot_be_read_is_asked_for_again(s3: LocalS3) -> None:
    where = f"s3://{s3.bucket()}/team"
    LakeTarget(where, project="digits", source="one").put(batch(0, 3))
    s3.fault = lambda method, path: BEFORE if method == "GET" and path.endswith(".parquet") else None
    for ask in (
        lambda: LakeTarget(where, project="digits", source="one").put(batch(3, 6)),
        lambda: tb.runs(where),
    ):
        with pytest.raises(OSError, match=re.escape(where)) as failed:
            ask()
        assert "127.0.0.1" not in str(failed.value)
    s3.fault = lambda _method, _path: None
    assert LakeTarget(where, project="digits", source="one").put(batch(3, 6)).ordinal == 6


def test_file_of_a_table_that_is_gone_is_said(tmp_path: Path) -> None:
    where = tmp_path / "lake"
    LakeTarget(str(where), project="digits", source="one").put(batch(0, 3))
    for path in (where / "points").rglob("*.parquet"):
        path.unlink()
    with pytest.raises(OSError, match=re.escape(str(where))):
        open_lake(str(where)).read("r1")


def test_a_panic_of_polars_is_a_failure_that_may_pass() -> None:
    with pytest.raises(OSError, match="points/part-0 not found"), plainly("lake"):
        raise PanicException("called `Result::unwrap()` on an `Err` value: Object at location points/part-0 not found")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "choose a folder that this user may write to" in put(str(tmp_path / "file" / "lake"))


def test_a_lake_of_a_newer_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = str(tmp_path / "lake")
    monkeypatch.setattr(lake_tables, "FORMAT", 7)
    LakeTarget(where, project="digits", source="one").put(batch(0, 3))
    monkeypatch.setattr(lake_tables, "FORMAT", 1)
    assert put(where) == f"{where} was written by a newer Trackbook (format 7); upgrade this one"


def test_tables_of_others_are_left_alone(tmp_path: Path) -> None:
    import polars as pl

    pl.DataFrame({"a": [1]}).write_delta(tmp_path / "points")
    assert "has tables that are not Trackbook's" in put(str(tmp_path))


@pytest.mark.parametrize(
    "said",
    [
        "GET https://host/x?X-Amz-Signature=abc123 failed",
        "Authorization: Bearer abc123",
        "secret_access_key = abc123",
        "SharedKey team:abc123 was refused, AccountKey=abc123",
    ],
)
def test_secrets_in_what_the_library_says_are_not_repeated(said: str) -> None:
    with pytest.raises(OSError, match="lake:") as failed, plainly("lake"):
        raise OSError(said)
    assert "abc123" not in str(failed.value)


def test_too_many_requests_are_busy() -> None:
    with pytest.raises(TargetBusy), plainly("lake"):
        raise OSError("<Code>SlowDown</Code>")


def test_an_address_names_a_bucket() -> None:
    with pytest.raises(TargetError, match="names no bucket"):
        Lake("s3:///team")


@pytest.mark.parametrize(
    "where", ["s3://bucket/team?x", "gs://bucket/team#x", "gs://bucket//team", "az://box/./team", "/shared/team%20a"]
)
def test_an_address_that_the_library_takes_for_another_is_refused(where: str) -> None:
    with pytest.raises(TargetError, match=r"has a part|is followed by"):
        Lake(where)


_ROLE = "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token?audience=x in 5s"
_TOKEN = "Generic GCS error\n ↳ Error performing token request\n ↳ Error performing"  # what the library says


@pytest.mark.parametrize(
    ("where", "said", "remedy"),
    [
        (
            "gs://b",
            f"{_TOKEN} GET {_ROLE} - error sending request",
            "set GOOGLE_APPLICATION_CREDENTIALS to the file of",
        ),
        (
            "gs://b",
            f"{_TOKEN} GET {_ROLE} - 403 Forbidden",
            "no credentials were found; set GOOGLE_APPLICATION_CREDENTIALS",
        ),
        (
            "az://b",
            "token request\n GET http://169.254.169.254/metadata/identity",
            "found; set AZURE_STORAGE_ACCOUNT_NAME",
        ),
        ("gs://b", f"{_TOKEN} POST https://x/token - 400 Bad Request\n invalid_grant", "are wrong or have expired"),
        (
            "gs://b",
            "Unable to open service account file from /x\n No such file",
            "the file of credentials cannot be read",
        ),
        (
            "gs://b",
            "Unable to decode service account file\n unknown variant `external_account`",
            "cannot be used; give the key",
        ),
        ("gs://b", "Generic GCS error\n Invalid RSA key\n InvalidEncoding", "the credentials cannot be used"),
        (
            "gs://b",
            "One of service account path or service account key may be provided.",
            "give only one of GOOGLE_SERVICE",
        ),
        ("az://b", "Generic MicrosoftAzure error\n Invalid Access Key", "the credentials cannot be used; correct"),
        ("az://b", "Missing component in SAS query pair", "the credentials cannot be used; correct"),
        ("az://b", "Error reading federated token file", "the credentials cannot be used; correct"),
        (
            "gs://b",
            "401 Unauthorized\n <Code>AuthenticationRequired</Code>",
            "the credentials are wrong or have expired",
        ),
    ],
)
def test_what_is_wrong_with_credentials_is_said_at_once(where: str, said: str, remedy: str) -> None:
    with pytest.raises(TargetError, match=re.escape(remedy)), plainly(where):
        raise OSError(said)


def test_who_gives_tokens_and_is_not_reached_is_asked_again() -> None:
    with pytest.raises(OSError, match="Name or service not known"), plainly("gs://b"):
        raise OSError(f"{_TOKEN} POST https://x/token in 0.7s, after 4 retries\n dns error\n Name or service not known")
