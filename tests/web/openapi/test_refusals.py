"""Refusals as OpenAPI says them: by status, in the form that clients of the address read."""

from typing import Any

import pytest

from engine.web.openapi.refusals import ANY_REQUEST, FAULT, components, responses, shared_codes, shown
from engine.web.refusal import CODES


def test_codes_are_sorted_by_status() -> None:
    """One response a status, with its codes in words and for programs; what any address has is referred to."""
    made = responses(["bad-url", "not-json", "unauthorized", "request-timeout"], "admin")
    assert list(made) == ["400", "401", "408"]
    assert made["400"]["x-codes"] == ["bad-url", "not-json"]
    assert made["400"]["description"].startswith("Bad Request.\n\n- `bad-url`: The URL of the page is not")
    assert made["400"]["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert made["401"]["headers"]["WWW-Authenticate"]["schema"] == {"const": "Bearer"}
    assert made["408"] == {"$ref": "#/components/responses/RequestTimeout"}


def test_segments_form_has_statuses_of_its_own() -> None:
    """What is too large is 400 there, and a fault of ours 503; both say so where it is read."""
    made = responses(["body-too-large", FAULT, "storage-trouble"], "source")
    assert list(made) == ["400", "503"]
    assert made["503"]["x-codes"] == ["internal-error", "storage-trouble"]
    assert "Retry-After" in made["503"]["headers"]
    assert made["400"]["content"]["application/json"]["schema"]["$ref"].endswith("/SegmentRefusal")


def test_openfeature_sees_other_codes() -> None:
    """The few that its protocol has."""
    assert responses(["bad-url", "wrong-type", "not-json"], "flags")["400"]["x-codes"] == [
        "INVALID_CONTEXT",
        "PARSE_ERROR",
    ]
    assert [shown("bad-url", form) for form in ("problem", "segment", "ofrep")] == [  # type: ignore[arg-type]
        "bad-url",
        "bad-url",
        "INVALID_CONTEXT",
    ]


@pytest.mark.parametrize(
    ("who", "method", "has_body", "more"),
    [
        ("page", "GET", False, set()),
        ("page", "POST", True, {"bad-length", "body-too-large"}),
        ("admin", "GET", False, {"unauthorized"}),
        ("admin", "DELETE", False, {"unauthorized", "cross-site"}),
    ],
)
def test_what_any_operation_of_a_kind_can_meet(who: Any, method: Any, has_body: bool, more: set[str]) -> None:
    """Whoever has a body, whoever needs a key."""
    assert set(shared_codes(who, method, has_body=has_body)) == {*ANY_REQUEST, FAULT, *more}


def test_the_shared_ones_are_said_once() -> None:
    """In each form under a name of its own."""
    made = components()
    assert {"RequestTimeout", "SegmentRequestTimeout", "OpenFeatureRequestTimeout"} <= made.keys()
    assert made["SegmentServiceUnavailable"]["x-codes"] == ["internal-error"]


def test_every_code_is_described_somewhere(described: Any) -> None:
    """Whatever the service can say stands at an address at which it says so, but for methods that there are not."""
    found = {
        code
        for *_, operation in described.operations()
        for response in operation["responses"].values()
        for code in response.get("x-codes", ())
    }
    found |= {code for said in described.document["components"]["responses"].values() for code in said["x-codes"]}
    assert CODES.keys() - found == {"method-not-allowed"}
