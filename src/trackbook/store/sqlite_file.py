"""Access to a project's SQLite file, with its failures: open, read and write it, and set it aside when it is damaged."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from .. import filesystem
from ..user_warnings import IN_MEMORY
from . import schema
from .sqlite_failures import Failure, NotOurFile, has_unknown_format, is_no_database, is_refused, kind_of

BUSY_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 3.0  # a file that others write is busy now and then; after this long it is a problem
_WAL_BYTES: Final = 1 << 24  # to which SQLite truncates the write-ahead log after a checkpoint

T = TypeVar("T")


class ProjectFile:
    """A project file, and at most one connection to it. Not thread-safe: the store's lock guards it."""

    def __init__(self, path: Path, project: str) -> None:
        self.path = path
        self.project = project
        self.problems: dict[str, str] = {}
        self.age = 0  # grows when the file at `path` was replaced or removed
        self._damage: str | None = None
        self._damaged: tuple[int, int] | None = None  # the identity of the damaged file
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._frozen = False
        self._lenient = False  # some text of the file is not valid UTF-8
        self._busy_since: dict[str, float] = {}  # by "read" and "write"
        self._to_checkpoint = False

    def read(self, query: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """Return the answer to `query`, and `nothing` also when the file cannot be read now."""
        try:
            return self.ask(query, nothing)
        except OSError:
            return nothing

    def ask(self, query: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """Return the answer to `query` from a consistent view of the file, and `nothing` when there is no file yet.

        Raises ``OSError`` when the file cannot be read now.
        """
        try:
            if self._connection is None or not self._connection.in_transaction:
                self.is_other()
            if self._connection is None and filesystem.is_missing(self.path):
                return nothing
            answer = self._leniently(lambda: self._at_one_moment(query))
        except Failure as error:
            self._note_damage(error)
            self._close_unless_busy(error)
            remedy = " The next run that is written to it sets it aside and keeps what can be read." * (
                self._damage is not None
            )
            said = f"Cannot read {self.path} ({error}). What is in it is left as it is.{remedy}"
            self._tell("read", error, said)
            raise OSError(self.problems["version"] if isinstance(error, schema.NewerFile) else said) from error
        if self._frozen:
            self.close()
        self._is_well("read")
        return answer

    def write(self, work: Callable[[sqlite3.Connection], None]) -> bool:
        """Do `work` in one transaction, and return whether it is done. A damaged file is replaced first."""
        try:
            if self._damage is None:
                self._transact(work)
        except Failure as error:
            self._note_damage(error)
            if self._damage is None:
                return self._failed(error)
        try:
            if self._damage is not None:
                self._replace(self._damage)
                return False  # the caller must first adapt its buffers to the new file
        except Failure as error:
            return self._failed(error)
        self._is_well("write")
        self._to_checkpoint = True
        return True

    def demand(self, work: Callable[[sqlite3.Connection], None], what: str) -> None:
        """Do `work` in one transaction, with ten times the usual patience. Raises ``OSError`` when that fails."""
        try:
            self._open().execute(f"pragma busy_timeout = {10_000 * BUSY_SECONDS:.0f}")
            self._transact(work)
        except Failure as error:
            raise OSError(f"Cannot {what} in {self.path}: {error}") from error
        finally:
            try:
                if self._connection is not None:
                    self._connection.execute(f"pragma busy_timeout = {1000 * BUSY_SECONDS:.0f}")
            except sqlite3.Error:  # the work is done; the next connection has the usual patience
                self.close()

    def rest(self) -> None:
        """Move the write-ahead log into the file. To be called while nothing is written."""
        if self._to_checkpoint and self._connection is not None:
            self._to_checkpoint = False
            with contextlib.suppress(sqlite3.Error):  # a busy file keeps its log until the next time
                self._connection.execute("pragma wal_checkpoint(passive)")

    def is_other(self) -> bool:
        """Return whether the file was replaced or removed since it was opened, and close it then."""
        try:
            if self._connection is None or self._identity == _identity(self.path):
                return False
        except OSError:  # the folder cannot be read now: the file is open, and may still be there
            return False
        self.close()
        self.age += 1
        return True

    @property
    def is_busy(self) -> bool:
        """Whether the last writing failed because another process was writing."""
        return "write" in self._busy_since

    def close(self) -> None:
        connection, self._connection, self._identity = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):  # closing moves the log into the file, which may fail
                connection.close()

    def _at_one_moment(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Answer `query` in one transaction: between two, another process may join the chunks that the first statement found."""
        db = self._open()
        if db.in_transaction:
            return query(db)
        db.execute("begin")
        try:
            return query(db)
        finally:
            self._roll_back(db)

    def _roll_back(self, db: sqlite3.Connection) -> None:
        """Roll back, or else close the connection: later transactions would be part of the open one."""
        try:
            if db.in_transaction:  # SQLite ends it by itself after some errors
                db.execute("rollback")
        except BaseException:
            self.close()
            raise

    def _leniently(self, do: Callable[[], T]) -> T:
        """Call `do`. If it meets text that is not UTF-8, call it again with such bytes replaced: a bad row must not hide others."""
        try:
            return do()
        except sqlite3.OperationalError as error:
            if self._lenient or not str(error).startswith("Could not decode"):
                raise
        self._lenient = True
        if self._connection is not None:
            self._connection.text_factory = _replace_invalid
        return do()

    def _transact(self, work: Callable[[sqlite3.Connection], None]) -> None:
        self._leniently(lambda: self._transact_once(work))

    def _transact_once(self, work: Callable[[sqlite3.Connection], None]) -> None:
        db = self._open()
        if self._frozen:
            self.close()
            raise sqlite3.OperationalError("attempt to write a readonly database")
        db.execute("begin immediate")
        try:
            work(db)
            db.execute("commit")
        except BaseException:
            self._roll_back(db)
            raise

    def _failed(self, error: BaseException) -> bool:
        self._close_unless_busy(error)
        self._tell(
            "write",
            error,
            f"Cannot write {self.path} ({error}).{IN_MEMORY}",
        )
        return False

    def _tell(self, what: str, error: BaseException, notice: str) -> None:
        if isinstance(error, schema.NewerFile):
            self.problems["version"] = f"{self.path} {error}."
        elif kind_of(error) == "busy":
            since = self._busy_since.setdefault(what, time.monotonic())
            if time.monotonic() - since >= _PATIENCE_SECONDS:
                self.problems[what] = notice
        else:
            self.problems[what] = notice

    def _note_damage(self, error: BaseException) -> None:
        if kind_of(error) == "damaged" or (is_refused(error) and not self._frozen and self._has_unknown_format()):
            self._damage = str(error)
            with contextlib.suppress(OSError):
                self._damaged = self._identity or _identity(self.path)

    def _has_unknown_format(self) -> bool:
        self.close()  # to read the file beside a connection would end the connection's locks
        return has_unknown_format(self.path)

    def _is_well(self, what: str) -> None:
        self._busy_since.pop(what, None)
        self.problems.pop(what, None)

    def _close_unless_busy(self, error: BaseException) -> None:
        """Close the file after a failure, so that the next access starts with the file as it is then."""
        if kind_of(error) != "busy" and self._connection is not None and not self._connection.in_transaction:
            self.close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if is_no_database(self.path):
                raise NotOurFile("file is not a database")
            self._frozen = False
            try:
                self._connection = self._connect()
            except sqlite3.OperationalError as error:
                if kind_of(error) == "busy" or not _is_still(self.path):
                    raise
                # A read-only folder has no place for the index of a write-ahead log.
                self._connection = _connect_frozen(self.path)
                self._frozen = True
            self._identity = _identity(self.path)
            self.problems.pop("version", None)
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._choose_journal(db)
            db.execute(f"pragma journal_size_limit = {_WAL_BYTES}")
            db.text_factory = _replace_invalid
            schema.prepare(db, self.project)
            if not self._lenient:
                db.text_factory = str
        except ValueError as error:  # the version is not a number
            db.close()
            raise NotOurFile(f"its version is damaged: {error}") from None
        except BaseException:
            db.close()
            raise
        return db

    def _choose_journal(self, db: sqlite3.Connection) -> None:
        """Use a write-ahead log where the file system lets processes share memory, else a rollback journal."""
        wanted = "delete" if filesystem.is_network(self.path.parent) else "wal"
        found = str(db.execute("pragma journal_mode").fetchone()[0])
        deadline = time.monotonic() + BUSY_SECONDS
        while found != wanted:
            try:
                found = str(db.execute(f"pragma journal_mode = {wanted}").fetchone()[0])
                break
            except (
                sqlite3.OperationalError
            ) as error:  # two processes open a new file at once: SQLite does not wait here
                if kind_of(error) != "busy" or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        if found == "wal":
            db.execute("pragma synchronous = normal")
            self.problems.pop("journal", None)
        else:
            db.execute("pragma synchronous = full")  # without a log, `normal` may damage the file at a power failure
            self.problems["journal"] = (
                f"{self.path} is on a file system that cannot share memory (such as NFS or Lustre), so SQLite keeps a rollback "
                f"journal instead of a write-ahead log: all is safe, but programs that use the file at once wait for each "
                "other. A folder on a local disk is faster: set TRACKBOOK_DIR."
            )

    def _replace(self, damage: str) -> None:
        """Set the file aside, unless another process has done so, and make a new file with the rows that are still readable."""
        self.close()
        lock = filesystem.hold(self.path.with_name(self.path.name + ".lock"), create=True)
        if lock is None:
            raise OSError("another process is setting the damaged file aside")
        try:
            if self._damaged is not None and _identity(self.path) == self._damaged:
                from .salvage import set_aside  # loads Polars, which what only reads names does without

                aside = set_aside(self.path)
                self.problems["damaged"] = (
                    f"{self.path} is damaged ({damage}). It was set aside, as it is, as {aside.name}, and a new file was begun "
                    f"with {_copy_readable(aside, self._open())} and with what is in memory."
                )
        finally:
            self.path.with_name(self.path.name + ".lock").unlink(missing_ok=True)
            os.close(lock)
        self._damage = None
        self.age += 1
        self._is_well("read")
        self._is_well("write")


def _replace_invalid(data: bytes) -> str:
    return data.decode(errors="replace")


def read_alone(path: Path, query: Callable[[sqlite3.Connection], T]) -> T:
    """Answer `query` from a file that nobody here has open. Raises ``OSError`` where it cannot be read."""
    try:
        with contextlib.closing(_connect_read_only(path)) as db:
            return query(db)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if not _is_still(path):
            raise OSError(f"cannot read {path}: {error}") from error
    try:
        with contextlib.closing(_connect_frozen(path)) as db:
            return query(db)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise OSError(f"cannot read {path}: {error}") from error


def project_name(path: Path) -> str | None:
    """Return the name of a file's project, None when it is not a project file."""
    try:
        return read_alone(path, schema.project)
    except OSError:
        return None


def _connect_read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def _connect_frozen(path: Path) -> sqlite3.Connection:
    """Open a file that nobody writes, without locks and without a log."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _is_still(path: Path) -> bool:
    """Whether the file cannot change, and has no write-ahead log, which a connection without locks would ignore."""
    log = path.with_name(path.name + "-wal")
    return path.exists() and not os.access(path.parent, os.W_OK) and (not log.exists() or not log.stat().st_size)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the identity of a file, None without a file. Raises ``OSError`` when the folder cannot be read."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _copy_readable(aside: Path, to: sqlite3.Connection) -> str:
    from .salvage import salvage

    try:
        with contextlib.closing(_connect_read_only(aside)) as damaged:
            damaged.execute("pragma writable_schema = on")  # without it SQLite reads nothing of a truncated file
            return salvage(damaged, to)
    except (sqlite3.Error, UnicodeDecodeError):
        return "none of its runs"
