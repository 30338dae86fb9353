"""The uploads of this process."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from .. import settings
from ..pump import STOP_SECONDS
from ..tracking.uploading import said
from ..user_warnings import warn, warn_once

if TYPE_CHECKING:
    from ..remote.uploader import Uploader
    from ..tracking.project import Project
    from ..tracking.run_writer import RunWriter

EXIT_SECONDS: Final = 3.0  # that the end of the process waits for uploads that make progress


class Uploads:
    """The uploaders of this process by destination. Each is made when something is uploaded there."""

    def __init__(self) -> None:
        self._uploaders: dict[str, Uploader] = {}
        self._making = threading.Lock()  # the pump resumes uploads while runs are followed
        self._said: set[tuple[Any, ...]] = set()

    def follow(self, project: Project, writer: RunWriter) -> None:
        """Upload a run as its options say. What goes wrong is a warning: the run is recorded here in any case."""
        options = writer.options
        if options.sync is None:
            return
        from ..remote.target import TargetError, checked

        try:
            uploader = self._uploader(checked(options.sync))
        except TargetError as error:
            warn(
                f"{error}. Run {writer.name!r} is recorded on this machine only; `trackbook sync PROJECT --to ADDRESS` uploads it"
            )
            return
        if uploader is None:
            return
        self._say(project.name, uploader.name, options.include)
        followed = uploader.follow(
            project.store.path,
            project.name,
            writer.id,
            name=writer.name,
            include=options.include,
            seconds=options.upload_seconds,
            tell=lambda sentence: writer.findings.note([sentence]),
        )
        writer.upload = followed
        project.uploads = [*(each for each in project.uploads if each.state.state != "synced"), followed]
        writer.on_end.append(lambda _: followed.end())

    def resume(self, project: Project) -> None:
        """Go on with uploads that earlier processes left. Called by the pump, once a process has written the project."""
        from ..store.upload_ledger import UploadLedger

        ledger = UploadLedger(project.store.path, project.name)
        try:
            for where in ledger.targets():
                if (uploader := self._uploader(where)) is not None:
                    uploader.upload(project.store.path, project.name)
                    uploader.start()
        except OSError:  # the store's own notices say what is wrong with the file
            return
        finally:
            ledger.close()

    def close(self) -> None:
        """End the uploads, after a moment for those that make progress; say what is left."""
        with self._making:
            uploaders = [*self._uploaders.values()]
            self._uploaders.clear()
        for uploader in uploaders:
            for followed in uploader.stop(EXIT_SECONDS):
                if followed.told != followed.state.left and not settings.is_quiet():
                    tell(said(followed.name, followed.state))
        for uploader in uploaders:
            uploader.join(STOP_SECONDS)

    def _uploader(self, where: str) -> Uploader | None:
        """Return the uploader to a destination; None, with a warning, where its packages are missing."""
        with self._making:
            if where not in self._uploaders:
                try:
                    from ..remote.uploader import Uploader
                except ModuleNotFoundError as error:
                    from ..remote.target import needs

                    warn(
                        f"{needs(where, error)}. Runs are recorded on this machine; `trackbook sync PROJECT --to ADDRESS` uploads them later"
                    )
                    return None
                self._uploaders[where] = Uploader(where, settings.token())
            return self._uploaders[where]

    def _say(self, project: str, where: str, include: tuple[str, ...]) -> None:
        """Say what is uploaded where, once."""
        from ..remote.leaving import said as what

        if (project, where, include) not in self._said and not settings.is_quiet():
            self._said.add((project, where, include))
            tell(f"runs of {project!r} are uploaded to {where}: {what(include)}")


def destination(
    function: str,
    keyword: str,
    where: str | os.PathLike[str] | None,
    space_id: str | None,
    private: bool | None,
) -> str | None:
    """Return where to upload: `where`, or the address of a Space. Raises ``ValueError`` for both, and for what is no name of a Space."""
    if space_id is None:
        if private is not None:
            warn_once(f"{function}(private=...) is of a Hugging Face Space, and has no effect without space_id=...")
        return where if where is None or isinstance(where, str) else os.path.abspath(where)  # noqa: PTH100  # a folder, whatever its name
    if where is not None:
        raise ValueError(f"{function}({keyword}=..., space_id=...): give one of them")
    from ..remote.hub import space_address

    return space_address(space_id, private)


def tell(text: str) -> None:
    """Say what nobody should miss, such as where something of this machine goes."""
    print(f"Trackbook: {text}", file=sys.stderr, flush=True)  # noqa: T201
