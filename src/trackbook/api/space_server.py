"""The server of a Hugging Face Space: its data outlive it in a dataset, its secrets say who writes, and everybody whom the Hub lets in reads."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from ..settings import data_dir, write_tokens
from ..store.polars_import import import_polars
from ..store.project_list import ProjectList
from .process import process

if TYPE_CHECKING:
    from ..remote.space_storage import SpaceStorage

AGAIN_SECONDS: Final = 10.0  # between two attempts to restore, while the Hub does not answer


def serve_space(dataset: str, *, host: str, port: int | None, folder: str | None = None) -> None:
    """Take the projects of a dataset, serve them until SIGTERM or Ctrl-C, and save them there meanwhile and at the end.

    Raises ``PermissionError`` where the Hub refuses, without a token or for a dataset that it may not write.
    """
    import_polars()
    from ..remote.hub import Hub
    from ..remote.space_storage import SpaceStorage
    from ..remote.target import TargetError
    from ..server.access import Access
    from ..server.running import Server, start
    from ..server.site import Site
    from ..server.tokens import TokenFile

    here, path, ended = process(), data_dir(folder), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        storage = SpaceStorage(Hub(), dataset, path)
        if not _restore(storage, dataset, ended):
            return
        access = Access(writers=write_tokens(), tokens=TokenFile(path), is_public=True, embed_from=["*"])
        site = Site(
            access, here.pump, ProjectList(path).entries, lambda name: here.project(name, path), takes_uploads=True
        )
        server = start(Server(site, host, port))
        storage.start()
        _say(f"serving {path} at port {server.port}")
        while server.is_running and not ended.wait(0.5):
            pass
        server.stop(graceful=True)
        for project in list(here.projects.values()):
            project.close()
        storage.stop()
        _say(f"saved in the dataset {dataset}")
    except TargetError as error:
        raise PermissionError(str(error)) from None


def _restore(storage: SpaceStorage, dataset: str, ended: threading.Event) -> bool:
    """Restore, and try again while the Hub does not answer: a server that began with nothing would save that. Return whether it has."""
    while not ended.is_set():
        try:
            count = storage.restore()
        except OSError as error:
            _say(f"waiting for the dataset {dataset}: {error}")
            ended.wait(AGAIN_SECONDS)
        else:
            _say(f"restored {count} files from the dataset {dataset}")
            return True
    return False


def _say(text: str) -> None:
    print(f"Trackbook: {text}", file=sys.stderr, flush=True)  # noqa: T201  # the log of the Space
