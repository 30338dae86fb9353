"""What goes wrong in a lake, in plain words: the library's errors with a remedy, without addresses and secrets."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from polars.exceptions import ComputeError, PanicException

from .target import TargetBusy, TargetError


class _Trouble(NamedTuple):
    """Texts of object stores and file systems that mean the same, as regular expressions, and what is to be done."""

    signs: tuple[str, ...]
    remedy: str

    def is_meant(self, said: str) -> bool:
        return any(re.search(sign, said, re.IGNORECASE | re.DOTALL) for sign in self.signs)


_NO_FOLDER: Final = _Trouble(
    (
        "permission ?denied",
        "operation not permitted",
        "read-?only ?file ?system",
        "not ?a ?directory",
        "could not create local directory",
    ),
    "nothing can be written there; choose a folder that this user may write to",
)
# What gives credentials, and which can be used, by the scheme of the address.
_GIVERS: Final = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE)",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account's key, call `gcloud auth application-default login`",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_USABLE: Final = {
    "gs": "give the key of a service account, or call `gcloud auth application-default login` (others, such as of workload identity "
    "federation or of impersonation, are not known here)"
}
_TROUBLES: Final = (
    _Trouble(
        ("nosuchbucket", "bucket does not exist", "containernotfound", "container does not exist"),
        "there is no such bucket; make it, or correct the address",
    ),
    _Trouble(
        ("unable to open service account file",),
        "the file of credentials cannot be read; GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT has to name one that is there",
    ),
    _Trouble(
        (
            "unable to decode service account file",
            "invalid rsa key",
            "no rsa key",
            "invalid access key",
            "sas query",
            "federated token file",
        ),
        "the credentials cannot be used; {usable}",
    ),
    _Trouble(
        ("one of service account path or service account key",),
        "there are two credentials; give only one of GOOGLE_SERVICE_ACCOUNT and GOOGLE_SERVICE_ACCOUNT_KEY",
    ),
    _Trouble(
        (
            "missing accesskeyid",
            "loading credentials",
            "no credentials",
            "imds",
            "token request.*/(computemetadata|metadata)/",  # of the machine's role
            "account must be specified",
        ),
        "no credentials were found; {giver}, or run where a role gives them",
    ),
    _Trouble(
        (
            "expiredtoken",
            "invalidaccesskeyid",
            "invalidtoken",
            "signaturedoesnotmatch",
            "authenticationfailed",
            "401 unauthorized",
            "invalid_grant",
            "token request.*40[0-9] ",  # the others do not reach who gives tokens, or it fails
        ),
        "the credentials are wrong or have expired; renew them",
    ),
    _Trouble(
        ("accessdenied", "403 forbidden", "authorizationpermissionmismatch"),
        "these credentials may not do that; whoever writes needs to list, read and write objects, and readers to list and read",
    ),
    _NO_FOLDER,
    _Trouble(
        ("501 not implemented", "notimplemented", "not yet implemented"),
        "this object store has no conditional writes, without which writers would overwrite each other; use one that has them",
    ),
)
_TOO_FAST: Final = _Trouble(("slow ?down", "429 too many", "toomanyrequests", "serverbusy"), "")
_COLORS: Final = re.compile(r"\x1b\[[0-9;]*m")
_SECRETIVE: Final = re.compile(  # addresses, and the rest of a line from a word on that may stand before a secret
    r"https?://\S+|\w*(?:key|token|secret|signature|authorization|credential|bearer|password).*", re.IGNORECASE
)
_LONGEST: Final = 200  # characters of what the library says


@contextlib.contextmanager
def plainly(name: str) -> Iterator[None]:
    """Raise the library's errors as `TargetError` with a remedy, or as ``OSError`` where the same call may succeed later.

    A table that does not exist, and a commit that another one contradicts, keep the library's error. Polars has its own for a file of a
    table that it cannot read to the end; that of Polars 1.37 is a panic.
    """
    try:
        yield
    except (CommitFailedError, TargetBusy):
        raise
    except (OSError, DeltaError, ComputeError, PanicException) as error:
        said = _COLORS.sub("", str(error))
        if isinstance(error, TableNotFoundError) and not _NO_FOLDER.is_meant(said):
            raise
        for trouble in _TROUBLES:
            if trouble.is_meant(said):
                raise TargetError(f"{name}: {_remedy(trouble, urlsplit(name).scheme)}") from None
        if _TOO_FAST.is_meant(said):
            raise TargetBusy(f"{name} asks for fewer requests") from None
        raise OSError(f"{name}: {_shortened(said)}") from None


def _remedy(trouble: _Trouble, scheme: str) -> str:
    giver = _GIVERS.get(scheme, "set those of the object store")
    return trouble.remedy.format(giver=giver, usable=_USABLE.get(scheme, "correct what the environment says of them"))


def _shortened(said: str) -> str:
    """Return the end of an error, which is its cause, without addresses and secrets."""
    plain = " ".join(_SECRETIVE.sub("...", said.replace("\u21b3", " ")).split())
    return plain if len(plain) <= _LONGEST else f"... {plain[-_LONGEST:]}"
