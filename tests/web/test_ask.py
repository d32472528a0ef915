"""What a request may say, and what each mistake in it is called."""

from datetime import UTC, datetime

import pytest

from engine import limits
from engine.web.ask import from_body, from_query
from engine.web.refusal import Refused
from engine.words import Page

PAGE = b'"page": {"url": "https://a.example/"}'


def code_of(body: bytes) -> str:
    """How a body is refused."""
    with pytest.raises(Refused) as refused:
        from_body(body)
    return refused.value.code


def test_everything_that_may_be_said() -> None:
    """Each member arrives where it belongs, times in UTC; unknown members are passed over."""
    asked = from_body(
        b'{"visitorId": "v.1", "page": {"url": "https://a.example/", "referrer": "r", "title": "t", "x": 1}, "y": [],'
        b'"visit": {"count": 3, "first_seen": "2026-11-01T12:00:00+02:00", "new": false},'
        b'"device": {"type": "tablet", "language": "de"}, "traits": {"plan": "free", "gone": null}}'
    )
    assert asked.page == Page("https://a.example/", "r", "t")
    assert (asked.visitor_id, asked.count, asked.new) == ("v.1", 3, False)
    assert asked.first_seen == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert asked.device == {"type": "tablet", "language": "de"}
    assert asked.traits == {"plan": "free"}


def test_null_is_absent() -> None:
    """Clients send null for what they do not know."""
    said = b'{"visitorId": "v", "page": {"url": "https://a.example/", "referrer": null, "title": null},'
    nulls = b'"visit": null, "device": {"type": null}, "traits": null}'
    assert from_body(said + nulls) == from_body(b'{"visitorId": "v", ' + PAGE + b"}")


MISTAKES = {
    b"": "not-json",
    b"hello": "not-json",
    b"{} {}": "not-json",
    b"\xff\xfe": "not-json",
    b'{"visitorId": "\xed\xa0\x80"}': "not-json",
    b'{"visitorId": "\\ud800", ' + PAGE + b"}": "bad-visitor-id",
    b'{"x": ' + b"[" * 8_000: "not-json",
    b"[]": "wrong-type",
    b'{"visitorId": 7}': "wrong-type",
    b'{"visitorId": "v", "page": "https://a.example/"}': "wrong-type",
    b'{"visitorId": "v", "visit": {"count": -1}}': "wrong-type",
    b'{"visitorId": "v", "visit": {"count": ' + b"9" * 5_000 + b"}}": "wrong-type",
    b'{"visitorId": "v", "visit": {"first_seen": "2026-11-01T12:00:00"}}': "wrong-type",
    b'{"visitorId": "v", "visit": {"first_seen": "0001-01-01T00:00:00+14:00"}, ' + PAGE + b"}": "wrong-type",
    b"{" + PAGE + b"}": "missing-visitor-id",
    b'{"visitorId": null, ' + PAGE + b"}": "missing-visitor-id",
    b'{"visitorId": "", ' + PAGE + b"}": "bad-visitor-id",
    b'{"visitorId": "a b", ' + PAGE + b"}": "bad-visitor-id",
    b'{"visitorId": "' + b"x" * 129 + b'", ' + PAGE + b"}": "bad-visitor-id",
    b'{"visitorId": "\xc3\xa9", ' + PAGE + b"}": "bad-visitor-id",
    b'{"visitorId": "v"}': "missing-url",
    b'{"visitorId": "v", "page": {"url": ""}}': "missing-url",
    b'{"visitorId": "v", "page": {"url": "https://a.example/' + b"x" * 8_192 + b'"}}': "bad-url",
    b'{"visitorId": "v", "traits": {"a": ' + b"[" * 40 + b"]" * 40 + b"}, " + PAGE + b"}": "bad-traits",
    b'{"visitorId": "v", "traits": {"a": [' + b"1," * 1_500 + b"1]}, " + PAGE + b"}": "bad-traits",
}


@pytest.mark.parametrize(("body", "code"), MISTAKES.items(), ids=[str(body[:40]) for body in MISTAKES])
def test_every_mistake_has_its_code(body: bytes, code: str) -> None:
    """Not JSON, wrong types, missing, odd and over-long values, depth, number."""
    assert code_of(body) == code


def test_half_a_character_is_replaced() -> None:
    """What browsers send of a title that was cut in the middle of an emoji: the visitor gets a decision."""
    asked = from_body(
        rb'{"visitorId": "v", "page": {"url": "https://a.example/", "title": "Hi \ud83d"},'
        rb'"traits": {"\ude00": "\ud83d"}}'
    )
    assert asked.page.title == "Hi \ufffd"
    assert asked.traits == {"\ufffd": "\ufffd"}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"visitorId": 7}', "Expected text, got a number - at visitorId."),
        (b'{"visit": {"count": "3"}}', "Expected a whole number, got text - at visit.count."),
        (
            b'{"visitorId": "v", "traits": {"a": {"b": [' + b"9" * 400 + b"]}}, " + PAGE + b"}",
            "traits.a.b[0]: the number is too large.",
        ),
    ],
)
def test_mistakes_are_told_in_the_clients_words(body: bytes, detail: str) -> None:
    """Where, what was expected and what came; no Python."""
    with pytest.raises(Refused) as refused:
        from_body(body)
    assert refused.value.detail == detail


def test_the_longest_id_passes() -> None:
    """128 characters are allowed, the 129th is not."""
    visitor_id = "x" * limits.VISITOR_ID_CHARS
    assert from_body(b'{"visitorId": "' + visitor_id.encode() + b'", ' + PAGE + b"}").visitor_id == visitor_id


@pytest.mark.parametrize("count", [b"4.0", b"4", b"0.4e1"])
def test_a_whole_number_may_be_written_with_a_point(count: bytes) -> None:
    """As those write it who have every number as a double; what is wrong beside it is still told."""
    page = b'{"url": "https://a.example/", "title": "\\ud800"}'
    body = b'{"visitorId": "v", "page": ' + page + b', "visit": {"count": %s, "new": %s}}'
    asked = from_body(body % (count, b"true"))
    assert (asked.count, type(asked.count), asked.new) == (4, int, True)
    with pytest.raises(Refused, match=r"Expected true or false, got text - at visit\.new"):
        from_body(body % (count, b'"yes"'))


@pytest.mark.parametrize("count", [b"4.5", b"1e30", b"-1.0", b"-0.5"])
def test_any_other_number_is_no_count(count: bytes) -> None:
    """There is no half a visit."""
    with pytest.raises(Refused, match=r"Expected a whole number.* - at visit\.count"):
        from_body(b'{"visitorId": "v", "visit": {"count": %s}}' % count)


def test_of_two_equal_members_the_last_counts() -> None:
    """As in JavaScript's own JSON.parse."""
    assert from_body(b'{"visitorId": "a", "visitorId": "b", ' + PAGE + b"}").visitor_id == "b"


def test_a_query_says_the_same() -> None:
    """The GET form: id, url, referrer, title."""
    asked = from_query(b"visitorId=v&url=https%3A%2F%2Fa.example%2F%3Fq%3D1&referrer=&title=%C3%A9&other=1")
    assert (asked.visitor_id, asked.page) == ("v", Page("https://a.example/?q=1", "", "é"))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"", "missing-visitor-id"),
        (b"visitorId=v", "missing-url"),
        (b"visitorId=v&url=%ff", "bad-query"),
        (b"visitorId=\xff", "bad-query"),
        (b"a=1&" * 200, "bad-query"),
        (b"visitorId=%00&url=x", "bad-visitor-id"),
        (b"visitorId=v&title=" + b"x" * 17_000, "url-too-long"),
    ],
)
def test_a_query_can_be_wrong(query: bytes, code: str) -> None:
    """Its own mistakes: escapes, number of fields, length."""
    with pytest.raises(Refused) as refused:
        from_query(query)
    assert refused.value.code == code
