"""The addresses for admins, as they are described: reasoning of every kind, and whom one may ask about."""

from typing import Any

import pytest

from engine import limits
from engine.web.profiles import KINDS, PEOPLE

ADMIN = {"authorization": "Bearer an-admin-key-for-tests"}
PAGES = ("https://www.example.com/", "https://www.example.com/pricing", "https://www.example.com/nowhere")


@pytest.mark.parametrize("visitor", ["ada", "alan", "ken", "grace", "stranger"])
def test_reasoning_is_described(described: Any, visitor: str) -> None:
    """Whatever came of it: personalized, control, excluded, unknown."""
    operation = described.document["paths"]["/v1/explain"]["get"]
    for url in PAGES:
        said = described.ask("GET", "/v1/explain", params={"visitorId": visitor, "url": url}, headers=ADMIN)
        assert said.status_code == 200
        described.check(said, operation)


def test_who_may_be_asked_about_and_who_deleted(described: Any) -> None:
    """An account is known, and is nobody who could be forgotten."""
    path = described.document["paths"]["/v1/profiles/{kind}/{id}"]
    kinds = {method: set(path[method]["parameters"][0]["schema"]["enum"]) for method in ("get", "delete")}
    assert kinds == {"get": set(KINDS), "delete": set(PEOPLE)}


def test_what_a_deletion_takes_along_is_said(described: Any) -> None:
    """Rejected messages of others, and what may be an id of whom."""
    operation = described.document["paths"]["/v1/profiles/{kind}/{id}"]["delete"]
    assert "takes messages of others along" in operation["description"]
    assert f"1 to {limits.VISITOR_ID_CHARS} of" in operation["parameters"][1]["description"]
    assert f"at most {limits.ID_BYTES} bytes" in operation["parameters"][1]["description"]


def test_every_one_needs_a_key(described: Any) -> None:
    """And says so; without one it is 401, with the header that says how."""
    for method, path, operation in described.operations():
        if "Admin" in operation["tags"] or path == "/metrics":
            assert operation["security"] == [{"adminKey": []}]
            said = described.ask(method.upper(), path)
            assert (said.status_code, said.headers["www-authenticate"]) == (401, "Bearer")
            described.check(said, operation)
