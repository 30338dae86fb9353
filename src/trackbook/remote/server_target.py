"""The target `trackbook serve`: one request for each batch, and the cursor in its answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from ..types import Cursor
from . import wire
from .http_client import Client
from .target import Batch


class ServerTarget:
    """A project on a server."""

    seconds: Final = 0.5

    def __init__(
        self,
        where: str,
        *,
        project: str,
        source: str,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`headers` go along with each request."""
        self._client = Client(where, project, token, headers)
        self._project = project
        self._source = source

    @property
    def name(self) -> str:
        """The address, without secrets."""
        return self._client.name

    @property
    def note(self) -> str | None:
        """What the user should know although uploads go on: clocks that differ."""
        skew = self._client.skew
        if skew is None:
            return None
        return (
            f"the clocks of this machine and of {self.name} differ by {abs(skew):,.0f} s: times of runs are this machine's, so they "
            f"look {'old' if skew > 0 else 'early'} there; set both clocks (NTP)"
        )

    def cursors(self) -> dict[str, Cursor]:
        """See `Target`."""
        found = self._client.get("api/uploads/cursors", source=self._source)
        return {run: wire.cursor(each) for run, each in found["cursors"].items()}

    def cursor(self, run_id: str) -> Cursor | None:
        """See `Target`."""
        return self.cursors().get(run_id)

    def put(self, batch: Batch) -> Cursor:
        """See `Target`."""
        answer = self._client.post("api/uploads/batch", wire.pack_batch(batch, self._project, self._source))
        return wire.cursor(answer["cursor"])

    def delete(self, run_id: str) -> None:
        """See `Target`."""
        self._client.post("api/uploads/delete", run=run_id)

    def missing_files(self, names: Collection[str]) -> set[str]:
        """See `Target`."""
        return set(self._client.post("api/uploads/missing", names=sorted(names))["missing"])

    def put_file(self, name: str, path: Path) -> None:
        """See `Target`."""
        self._client.put_file("api/uploads/file", path, name)

    def close(self) -> None:
        """See `Target`."""
        self._client.close()
