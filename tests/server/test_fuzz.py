"""The HTTP routes under generated requests: whatever is sent, no answer is a server error."""

from __future__ import annotations

import pytest

from servers import Served

schemathesis = pytest.importorskip("schemathesis")
hypothesis = pytest.importorskip("hypothesis")

TEXT = {"type": "string"}
SCHEMA = {
    "openapi": "3.0.3",
    "info": {"title": "Trackbook", "version": "1"},
    "paths": {
        "/": {
            "get": {
                "parameters": [
                    {"name": name, "in": "query", "schema": TEXT} for name in ("project", "run", "token", "smoothing")
                ],
                "responses": {"200": {"description": "the page"}, "303": {"description": "with a token"}},
            }
        },
        "/static/{name}": {
            "get": {
                "parameters": [{"name": "name", "in": "path", "required": True, "schema": TEXT}],
                "responses": {"200": {"description": "a file"}, "404": {"description": "no such file"}},
            }
        },
        "/api/projects": {"get": {"responses": {"200": {"description": "the projects"}}}},
        "/ws": {
            "get": {
                "parameters": [{"name": "project", "in": "query", "schema": TEXT}],
                "responses": {"404": {"description": "not by HTTP"}},
            }
        },
    },
}


@pytest.mark.parametrize("path", list(SCHEMA["paths"]))  # type: ignore[call-overload]
def test_no_request_is_a_server_error(served: Served, path: str) -> None:
    served.run("digits", "r1")
    operation = schemathesis.openapi.from_dict(SCHEMA)[path]["GET"]

    @hypothesis.settings(max_examples=100, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(case=operation.as_strategy())
    def request(case: schemathesis.Case) -> None:
        for headers in ({"cookie": served.cookie}, {}):
            answer = case.call(base_url=served.address.rstrip("/"), headers=headers)
            assert answer.status_code < 500, answer.text

    request()
