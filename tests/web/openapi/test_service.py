"""The addresses for machines that look after the service, as they are described."""

from typing import Any

import pytest


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_described(described: Any, path: str) -> None:
    """Member by member."""
    said = described.ask("GET", path)
    assert said.status_code == 200
    described.check(said, described.document["paths"][path]["get"])


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("", "text/plain"), ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text")],
)
def test_figures_come_in_both_forms(described: Any, accept: str, kind: str) -> None:
    """As the description says."""
    operation = described.document["paths"]["/metrics"]["get"]
    headers = {"authorization": "Bearer an-admin-key-for-tests", "accept": accept}
    said = described.ask("GET", "/metrics", headers=headers)
    assert said.headers["content-type"].startswith(kind)
    described.check(said, operation)


def test_not_ready_is_described(described: Any) -> None:
    """503 with the same members: it says why."""
    described.node.draining = True
    try:
        said = described.ask("GET", "/readyz")
    finally:
        described.node.draining = False
    assert (said.status_code, said.json()["ready"]) == (503, False)
    described.check(said, described.document["paths"]["/readyz"]["get"])
