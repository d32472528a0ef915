"""Law: the answer's bytes are those of DESIGN 4: these keys, in this order."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.decide.wire import to_json
from engine.words import Assignment, Decision

ONE = Assignment("home", "small", "hero", b'{"experience":"Home"}')
TWO = Assignment("price", "large", None, b'{"experience":"Price"}')


def test_an_answer_is_as_designed() -> None:
    """Visitor, ruleset, then the entries in deciding order."""
    expected = b'{"visitorId":"b5c9","ruleset":"9f3c01ab","decisions":[{"experience":"Home"},{"experience":"Price"}]}'
    assert to_json(Decision("b5c9", "9f3c01ab", (ONE, TWO))) == expected


def test_no_match_is_an_empty_list() -> None:
    """Nothing decided: no entry, and so nothing to track."""
    assert to_json(Decision("b5c9", "9f3c01ab", ())) == b'{"visitorId":"b5c9","ruleset":"9f3c01ab","decisions":[]}'


def test_what_was_unusable_is_not_said() -> None:
    """The answer says nothing about traits that the page does not show."""
    assert to_json(Decision("b5c9", "9f3c01ab", (), unusable=("plan",))) == to_json(Decision("b5c9", "9f3c01ab", ()))


def test_degraded_is_said_only_where_it_is_so() -> None:
    """`degraded` comes last, and only as true."""
    degraded = Decision("b5c9", "9f3c01ab", (ONE,), degraded=True)
    assert to_json(degraded) == (
        b'{"visitorId":"b5c9","ruleset":"9f3c01ab","decisions":[{"experience":"Home"}],"degraded":true}'
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_visitor_id_is_json_text(visitor_id: str) -> None:
    """Whatever the id holds, the answer is JSON."""
    assert msgspec.json.decode(to_json(Decision(visitor_id, "v", (ONE,))))["visitorId"] == visitor_id
