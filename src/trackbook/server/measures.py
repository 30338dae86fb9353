"""What `/metrics` tells Prometheus: counts of the server's work, without names of projects or runs."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from starlette.responses import Response


class Measures:
    """The counters of one server."""

    def __init__(self, viewers: Callable[[], int]) -> None:
        registry = self._registry = CollectorRegistry()
        self.batches = Counter("trackbook_upload_batches", "Batches of uploads that were taken", registry=registry)
        self.points = Counter("trackbook_upload_points", "Points in these batches", registry=registry)
        self.bytes = Counter("trackbook_upload_bytes", "Bytes of these batches and of files", registry=registry)
        self.refused = Counter(
            "trackbook_upload_refused", "Requests answered by an error, by its code", ["code"], registry=registry
        )
        Gauge("trackbook_viewers", "Open pages", registry=registry).set_function(lambda: float(viewers()))

    def answer(self) -> Response:
        """Return the counts in Prometheus's format."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
