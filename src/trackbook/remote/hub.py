"""The Hugging Face Hub: its Spaces and datasets, and what its errors mean. The only importer of huggingface_hub."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from ..settings import hub_endpoint
from .target import TargetBusy, TargetError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Sdk = Literal["docker", "static"]
Kind = Literal["space", "dataset"]

MARK: Final = "trackbook.json"  # the file that tells a Space of Trackbook from others
_OWN: Final = "TRACKBOOK_SPACE"  # the variable that tells it while the Space has no files yet
_PAGE: Final = re.compile(r"https?://[^/]+/spaces/([^?#]+?)/?")
_NAME: Final = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]{0,95}")
_TOKENS: Final = "https://huggingface.co/settings/tokens"
_LOG_IN: Final = f"run `hf auth login`, or set HF_TOKEN to a token with write access from {_TOKENS}"
_SECONDS: Final = re.compile(r"\d+")
_RESET: Final = re.compile(r"\bt=(\d+)")  # in the header ``RateLimit: "api";r=0;t=55``
_BUSY_SECONDS: Final = 60.0  # after a 429 that does not say how long


class Space(NamedTuple):
    """A Space as the Hub describes it."""

    name: str  # with its owner
    sdk: str
    files: frozenset[str]
    stage: str  # such as RUNNING, BUILDING, PAUSED
    address: str  # where what it runs answers
    page: str  # its page on the Hub
    is_private: bool  # what it runs answers only to tokens of the Hub, then


def check_space_id(space_id: object) -> str:
    """Return the name of a Space, with or without its owner, also from the address of its page. Raises ``ValueError``."""
    given = space_id if isinstance(space_id, str) else ""
    page = _PAGE.fullmatch(given)
    name = given if page is None else page[1]
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"space_id={space_id!r} is not the name of a Space: give 'user/name', or 'name' for one of your own; names "
            "have letters, digits, -, _ and ."
        )
    return name


def space_address(space_id: str, private: bool | None = None) -> str:
    """Return the address of a Space for `open_target`. Raises ``ValueError`` for what is no name of a Space."""
    address = f"hf://{check_space_id(space_id)}"
    return address if private is None else f"{address}?private={'yes' if private else 'no'}"


def spaces_page(name: str) -> str:
    """Return the address of a Space's page on the Hub."""
    return f"{hub_endpoint() or 'https://huggingface.co'}/spaces/{name}"


def kept_token() -> str | None:
    """Return the token of this user: of ``HF_TOKEN`` or of a login. Raises ``ModuleNotFoundError`` without huggingface_hub."""
    found: str | None = _library().get_token()
    return found


class Hub:
    """The Hub for one user, whose token it holds."""

    def __init__(self, token: str | None = None) -> None:
        """Raises `TargetError` without a token, and ``ModuleNotFoundError`` without the packages of ``trackbook[hub]``."""
        self.token = token or kept_token()
        if self.token is None:
            raise TargetError(f"there is no Hugging Face token here: {_LOG_IN}")
        self._api: HfApi = _library().HfApi(endpoint=hub_endpoint(), token=self.token, library_name="trackbook")
        self._user: str | None = None

    def user(self) -> str:
        """Return the name of the token's user."""
        if self._user is None:
            with _told("ask whose token this is"):
                self._user = str(self._api.whoami()["name"])
        return self._user

    def full_name(self, space_id: str) -> str:
        """Return the name of a Space with its owner, by default the token's user."""
        name = check_space_id(space_id)
        return name if "/" in name else f"{self.user()}/{name}"

    def space(self, name: str) -> Space | None:
        """Return a Space; None when there is none, or none that the token may see."""
        with _told(f"look at the Space {name}"):
            try:
                info = self._api.space_info(name)
            except _library().errors.RepositoryNotFoundError:
                return None
        return Space(
            name=name,
            sdk=info.sdk or "",
            files=frozenset(file.rfilename for file in info.siblings or ()),
            stage=str(getattr(info.runtime.stage, "value", info.runtime.stage)) if info.runtime else "",
            address=(info.host or f"https://{_subdomain(name)}.hf.space").rstrip("/"),
            page=spaces_page(name),
            is_private=bool(info.private),
        )

    def is_ours(self, space: Space) -> bool:
        """Whether a Space is Trackbook's: it has our mark, or is one that we began and that has no files of anybody's yet."""
        if MARK in space.files:
            return True
        if space.files - {".gitattributes", "README.md"}:
            return False
        with _told(f"read the variables of the Space {space.name}"):
            return _OWN in self._api.get_space_variables(space.name)

    def create_space(
        self, name: str, sdk: Sdk, private: bool | None, secrets: Mapping[str, str], variables: Mapping[str, str]
    ) -> None:
        """Create a Space without files, marked as ours from its first moment."""
        with _told(f"create the Space {name}"):
            self._api.create_repo(
                name,
                repo_type="space",
                space_sdk=sdk,
                private=private,
                space_secrets=[{"key": key, "value": value} for key, value in secrets.items()],
                space_variables=[{"key": key, "value": value} for key, value in {_OWN: "1", **variables}.items()],
            )

    def create_dataset(self, name: str, *, private: bool = True) -> None:
        """Create a dataset if there is none of this name."""
        with _told(f"create the dataset {name}"):
            self._api.create_repo(name, repo_type="dataset", private=private, exist_ok=True)

    def put_secret(self, name: str, key: str, value: str) -> None:
        """Give a Space a secret, which restarts it."""
        with _told(f"add a secret to the Space {name}"):
            self._api.add_space_secret(name, key, value)

    def restart(self, name: str) -> None:
        """Restart a Space that is stopped or failed."""
        with _told(f"restart the Space {name}"):
            self._api.restart_space(name)

    def commit(
        self,
        kind: Kind,
        name: str,
        files: Mapping[str, bytes | Path],
        message: str,
        removed: Sequence[str] = (),
    ) -> None:
        """Write and remove files of a repository, all or none."""
        library = _library()
        operations = [
            library.CommitOperationAdd(path, data if isinstance(data, bytes) else str(data))
            for path, data in files.items()
        ]
        operations += [library.CommitOperationDelete(path) for path in removed]
        warnings.filterwarnings("ignore", "It seems that you are about to commit a data file")  # that is meant
        with _told(f"write to the {kind} {name}"), _quietly():
            self._api.create_commit(name, operations, commit_message=message, repo_type=kind)

    def files(self, kind: Kind, name: str) -> list[str]:
        """Return the paths of a repository's files; none for a repository that does not exist."""
        with _told(f"list the files of the {kind} {name}"):
            try:
                return list(self._api.list_repo_files(name, repo_type=kind))
            except _library().errors.RepositoryNotFoundError:
                return []

    def download(self, kind: Kind, name: str, path: str, folder: Path) -> Path:
        """Write a file of a repository to `folder`, under the same path, and return where it is."""
        with _told(f"read {path} of the {kind} {name}"), _quietly():
            return Path(
                self._api.hf_hub_download(name, path, repo_type=kind, local_dir=folder)  # type: ignore[arg-type, unused-ignore]
            )

    def squash(self, kind: Kind, name: str, message: str) -> None:
        """Replace the history of a repository by one commit, so that former versions of its files take no room."""
        with _told(f"shorten the history of the {kind} {name}"):
            self._api.super_squash_history(name, repo_type=kind, commit_message=message)


def _library() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'Hugging Face Spaces need huggingface_hub, which is not installed: pip install "trackbook[hub]"',
            name="huggingface_hub",
        ) from None
    return huggingface_hub


def _subdomain(name: str) -> str:
    """Return the first part of the host name of a Space."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Raise the errors of the Hub as ours: `TargetError` names the remedy, `TargetBusy` and ``OSError`` pass by themselves."""
    errors = _library().errors
    answered, unreachable = errors.HfHubHTTPError, errors.HfHubHTTPError.__bases__  # of httpx, in the version in use
    try:
        yield
    except errors.HFValidationError as error:
        raise TargetError(f"cannot {what}: {error}") from None
    except answered as error:
        raise _meaning(what, error) from None
    except OSError:  # of this machine
        raise
    except RuntimeError as error:  # of an upload
        if isinstance(error.__cause__, answered):
            raise _meaning(what, error.__cause__) from None
        if isinstance(error.__cause__, unreachable):
            raise OSError(f"cannot {what}, the Hub cannot be reached: {_first_line(error.__cause__)}") from None
        raise
    except unreachable as error:
        raise OSError(f"cannot {what}, the Hub cannot be reached: {_first_line(error)}") from None


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Let the library draw no progress bars."""
    utils = _library().utils
    is_quiet = utils.are_progress_bars_disabled()
    try:
        utils.disable_progress_bars()
        yield
    finally:
        if not is_quiet:
            utils.enable_progress_bars()


def _meaning(what: str, error: Any) -> Exception:
    """Return the error that says what an answer of the Hub means."""
    status, headers = error.response.status_code, error.response.headers
    if status == 401:
        return TargetError(f"cannot {what}, the Hugging Face token is not valid, or no longer: {_LOG_IN}")
    if status == 402:
        return TargetError(
            f"cannot {what}, the Hub asks for a subscription or credits for Spaces that run a server; "
            'trackbook.sync(..., sdk="static") needs none'
        )
    if status == 403:
        return TargetError(f"cannot {what}, the Hugging Face token may not: {_LOG_IN}")
    if status == 429:
        known = _SECONDS.fullmatch(headers.get("Retry-After", "")) or _RESET.search(headers.get("RateLimit", ""))
        seconds = _BUSY_SECONDS if known is None else float(known[known.re.groups])
        return TargetBusy(f"cannot {what} for {seconds:.0f} s, the Hub limits the rate of requests", seconds)
    if status in (408, 409, 412) or status >= 500:
        return TargetBusy(f"cannot {what} now, the Hub answers {status}", None)
    return TargetError(f"cannot {what}, the Hub answers {status}: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
