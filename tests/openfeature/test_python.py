"""openfeature-sdk with openfeature-provider-ofrep, as PyPI has them, against the service."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

HOME = "https://www.example.com/"


@pytest.fixture(scope="module")
def client(edge: Any) -> Iterator[OpenFeatureClient]:
    """A client of the service."""
    provider = OFREPProvider(edge.url)
    api.set_provider(provider, "tests")
    with closing(provider.session):
        yield api.get_client("tests")
    api.clear_providers()


def small(visitor: str, **more: Any) -> EvaluationContext:
    """Somebody of a small company, on the homepage."""
    return EvaluationContext(visitor, {"url": HOME, "employees": 12, **more})


def test_an_experience_is_evaluated(client: OpenFeatureClient, edge: Any) -> None:
    """Control or variant, as the decision has it, with what a hook needs."""
    for number in range(12):
        details = client.get_string_details("homepage", "none", small(f"py-{number}"))
        expected = edge.group(f"py-{number}")
        assert (details.value, details.variant, details.reason) == (expected, expected, Reason.SPLIT)
        assert details.flag_metadata == {
            "experience": "Homepage",
            "audienceSegment": "Small company",
            "personalized": expected == "hero",
            "version": details.flag_metadata["version"],
        }


@pytest.mark.parametrize(
    ("key", "context", "reason", "error"),
    [
        ("homepage", EvaluationContext("v", {"url": HOME}), Reason.DEFAULT, None),
        ("resting", small("v"), Reason.DISABLED, None),
        ("nothing", small("v"), Reason.ERROR, ErrorCode.FLAG_NOT_FOUND),
        ("homepage", EvaluationContext(None, {"url": HOME}), Reason.ERROR, ErrorCode.TARGETING_KEY_MISSING),
        ("homepage", None, Reason.ERROR, ErrorCode.TARGETING_KEY_MISSING),
        ("homepage", EvaluationContext("jane@example.com"), Reason.ERROR, ErrorCode.INVALID_CONTEXT),
        ("homepage", EvaluationContext("v", {"url": "/pricing"}), Reason.ERROR, ErrorCode.INVALID_CONTEXT),
    ],
)
def test_otherwise_the_default_stands(
    client: OpenFeatureClient, key: str, context: EvaluationContext, reason: Reason, error: ErrorCode | None
) -> None:
    """And why."""
    details = client.get_string_details(key, "mine", context)
    assert (details.value, details.reason, details.error_code) == ("mine", reason, error)


def test_other_types_get_their_default(client: OpenFeatureClient) -> None:
    """Without a match as it should be, with one as a mismatch."""
    nobody, paying = EvaluationContext("v", {}), EvaluationContext("v", {"plan": "pro"})
    assert client.get_boolean_details("plans", False, nobody).reason == Reason.DEFAULT
    details = client.get_boolean_details("plans", False, paying)
    assert (details.value, details.error_code) == (False, ErrorCode.TYPE_MISMATCH)
    assert client.get_string_details("plans", "", paying).reason == Reason.TARGETING_MATCH


def test_the_guides_program_tells_what_was_seen(
    edge: Any, run: Callable[..., str], programs: Mapping[str, str], until: Callable[..., None]
) -> None:
    """The hook sends the event through Segment's library, under the browser's anonymous id."""
    assert run(programs["python"], "python") == edge.group("ada")
    until(lambda: edge.tracked("a-1"))
    personalized = edge.group("ada") == "hero"
    assert edge.seen("a-1") == [
        {"experience": "Homepage", "audienceSegment": "Small company", "personalized": personalized}
    ]


def test_a_trait_that_was_sent_is_in_the_next_evaluation(client: OpenFeatureClient, edge: Any) -> None:
    """Stored by Segment's call, not said by the context."""
    bob = EvaluationContext("bob")
    assert client.get_string_value("plans", "none", bob) == "none"
    edge.say("identify", anonymousId="a-bob", traits={"mutinyVisitorId": "bob", "plan": "pro"})
    assert client.get_string_value("plans", "none", bob) == "short"
