"""The answer to `POST /v1/decide` as bytes (DESIGN section 4 "Decision, on the wire"). Nothing but joining."""

import msgspec

from engine.words import Decision


def to_json(decision: Decision) -> bytes:
    """`visitorId`, `ruleset`, `decisions`, and `degraded` only where it is so."""
    return b"".join(
        (
            b'{"visitorId":',
            msgspec.json.encode(decision.visitor_id),
            b',"ruleset":',
            msgspec.json.encode(decision.ruleset),
            b',"decisions":[',
            b",".join([assignment.body for assignment in decision.assignments]),
            b'],"degraded":true}' if decision.degraded else b"]}",
        )
    )
