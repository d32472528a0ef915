"""The answer to `POST /v1/decide` as bytes (DESIGN section 4 "Decision, on the wire"). Nothing but joining."""

from functools import lru_cache
from typing import Final

import msgspec

from engine.words import Decision

START: Final = b'{"visitorId":'
END: Final = b"]}"

_encode: Final = msgspec.json.Encoder().encode


def to_json(decision: Decision) -> bytes:
    """`visitorId`, `ruleset`, `decisions`, and `degraded` only where it is so."""
    assignments = decision.assignments
    if not assignments:
        entries = b""
    elif len(assignments) == 1:
        entries = assignments[0].body
    else:
        entries = b",".join([assignment.body for assignment in assignments])
    ends = b'],"degraded":true}' if decision.degraded else END
    return b"%b%b%b%b%b" % (START, _encode(decision.visitor_id), before_decisions(decision.ruleset), entries, ends)


@lru_cache(maxsize=8)
def before_decisions(ruleset: str) -> bytes:
    """What stands between the visitor's id and the first entry."""
    return b',"ruleset":%b,"decisions":[' % _encode(ruleset)
