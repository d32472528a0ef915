"""Files of newline-delimited JSON, good and bad."""

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.limits import IMPORT_BATCH_LINES, IMPORT_LINE_BYTES, IMPORT_REASONS
from engine.profiles.encoding import decode
from engine.profiles.ids import Key, key
from engine.profiles.importing import Imported, import_lines
from engine.profiles.read import read_profile
from engine.profiles.record import Register
from engine.profiles.store import Found, Store
from engine.words import Profile

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def file_of(*lines: Any) -> io.BytesIO:
    """A file: values as JSON, bytes as they are, each on its line."""
    return io.BytesIO(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )


def held(store: Store) -> dict[Key, Found]:
    """Everything that is stored."""
    return dict(store.scan())


def reasons(imported: Imported) -> list[tuple[int, str]]:
    """Numbers and reasons of the rejected lines."""
    return [(rejected.line, rejected.reason) for rejected in imported.reasons]


def test_a_line_becomes_a_visitor_and_an_account(store: Store) -> None:
    """Traits to the visitor, the account under its id, and the link between them."""
    line = {"visitorId": "ann", "traits": {"plan": "pro"}, "account": {"id": "acme", "employees": 30}}
    assert import_lines(file_of(line), store, NOW) == Imported(1, 1, 0, ())
    assert read_profile(store, "ann") == Profile(
        "ann", {"plan": "pro"}, {"id": "acme", "employees": 30}, account_id="acme"
    )


@pytest.mark.parametrize("account", [{"employees": 3}, {"id": None, "employees": 3}])
def test_an_account_without_id_is_the_visitors_own(store: Store, account: dict[str, Any]) -> None:
    """It stands under the visitor's id."""
    import_lines(file_of({"visitorId": "ann", "account": account}), store, NOW)
    assert read_profile(store, "ann") == Profile("ann", {}, {"employees": 3}, account_id="ann")


def test_a_number_as_account_id_is_made_text(store: Store) -> None:
    """As Segment's libraries do."""
    import_lines(file_of({"visitorId": "ann", "account": {"id": 42}}), store, NOW)
    assert read_profile(store, "ann").account_id == "42"


@pytest.mark.parametrize("account", [None, {}])
def test_no_account_leaves_the_link_as_it_is(store: Store, account: Any) -> None:
    """Saying nothing about the account takes nothing away."""
    import_lines(file_of({"visitorId": "ann", "account": {"id": "acme"}}), store, NOW)
    import_lines(file_of({"visitorId": "ann", "traits": None, "account": account}), store, NOW + timedelta(days=1))
    assert read_profile(store, "ann").account_id == "acme"


def test_a_null_trait_removes(store: Store) -> None:
    """A later line with null takes the trait away, nulls within are absent."""
    import_lines(file_of({"visitorId": "ann", "traits": {"plan": "pro", "address": {"zip": None}}}), store, NOW)
    import_lines(file_of({"visitorId": "ann", "traits": {"plan": None}}), store, NOW + timedelta(seconds=1))
    assert read_profile(store, "ann").traits == {"address": {}}


def test_the_time_is_the_lines_own_or_now(store: Store) -> None:
    """So a line about the past does not overrule what is known since."""
    import_lines(file_of({"visitorId": "ann", "traits": {"plan": "pro"}}), store, NOW)
    old = {"visitorId": "ann", "traits": {"plan": "free", "age": 3}, "timestamp": "2026-11-23T12:59:59+01:00"}
    import_lines(file_of(old), store, NOW + timedelta(days=1))
    body = store.get([key("visitor", "ann")])[0]
    assert isinstance(body, bytes)
    at_noon = 1_795_435_200_000
    assert decode(body).traits == {
        "plan": Register(at_noon, "pro", "import"),
        "age": Register(at_noon - 1_000, 3, "import"),
    }


BAD = [
    (b"{", "The JSON ends too early"),
    (b"not json", "malformed"),
    (b"[]", "Expected an object, got a list"),
    (b'{"visitorId": "ann"} {"visitorId": "bob"}', "trailing characters"),
    (b'{"visitorId": "ann", "traits": {"name": "\xff"}}', "Expected UTF-8"),
    (b'{"visitorId": "ann", "traits": ' + b'{"a":' * 100_000, "nested too deeply"),
    (b'{"visitorId": "ann", "traits": {"n": ' + b"9" * 400 + b"}}", "traits.n: the number is too large"),
    (b'{"visitorId": "ann", "traits": {"n": 1e999}}', "a number that 64 bits can hold - at traits"),
    ({}, "missing required field `visitorId`"),
    ({"visitorId": 7}, "Expected text, got a number - at visitorId"),
    ({"visitorId": "a b"}, "visitorId: expected 1 to 128 of"),
    ({"visitorId": ""}, "visitorId: expected 1 to 128 of"),
    ({"visitorId": "x" * 129}, "visitorId: expected 1 to 128 of"),
    ({"visitorId": "ann", "traits": []}, "got a list - at traits"),
    ({"visitorId": "ann", "account": "acme"}, "got text - at account"),
    ({"visitorId": "ann", "trait": {}}, "unknown field `trait`"),
    ({"visitorId": "ann", "account": {"id": True}}, "account.id: expected text or a whole number"),
    (rb'{"visitorId": "ann\ud83d"}', "visitorId: expected 1 to 128 of"),
    (rb'{"visitorId": "ann", "account": {"id": "acme\ud83d"}}', "account.id: expected text, got half a character"),
    ({"visitorId": "ann", "account": {"id": "x" * 500}}, "account.id: the group id is longer than 480 bytes"),
    ({"visitorId": "ann", "traits": {str(n): n for n in range(1_001)}}, "more than 1000 members"),
    ({"visitorId": "ann", "timestamp": "yesterday"}, "Expected a time with its zone"),
    ({"visitorId": "ann", "timestamp": "2026-11-23T12:00:00"}, "time zone"),
    ({"visitorId": "ann", "timestamp": "2026-11-23T12:05:01Z"}, "lies in the future"),
    (b'{"visitorId": "ann", "traits": {"big": "' + b"x" * IMPORT_LINE_BYTES + b'"}}', "longer than 1,048,576 bytes"),
]


def test_half_a_character_is_replaced(store: Store) -> None:
    """Text that was cut in the middle of an emoji is no reason to leave a visitor out."""
    imported = import_lines(file_of(rb'{"visitorId": "ann", "traits": {"title": "a\ud83d"}}'), store, NOW)
    assert (imported.imported, imported.rejected) == (1, 0)
    assert read_profile(store, "ann").traits == {"title": "a\ufffd"}


@pytest.mark.parametrize(("line", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a_bad_line_is_left_out_with_its_number_and_reason(store: Store, line: Any, reason: str) -> None:
    """The lines around it are taken, nothing of it is."""
    good = [{"visitorId": name, "traits": {"plan": "pro"}} for name in ("bob", "eve")]
    imported = import_lines(file_of(good[0], line, good[1]), store, NOW)
    assert (imported.total, imported.imported, imported.rejected) == (3, 2, 1)
    ((number, why),) = reasons(imported)
    assert number == 2
    assert reason in why
    assert set(held(store)) == {key("visitor", "bob"), key("visitor", "eve")}


def test_reasons_do_not_show_values(store: Store) -> None:
    """A report may be mailed around; what people's traits hold may not."""
    lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line, _ in BAD]
    secret = [
        line.replace(b'"ann"', b'"ann", "traits": {"note": "s3cret"}, "account": {"n": "s3cret"}') for line in lines
    ]
    secret += [line.replace(b'"traits": {', b'"traits": {"note": "s3cret", ') for line in lines]
    assert sum(b"s3cret" in line for line in secret) >= 20
    assert "s3cret" not in str(import_lines(file_of(*secret), store, NOW))


def test_only_the_first_reasons_are_kept_but_all_are_counted(store: Store) -> None:
    """A file of nothing but nonsense costs no memory."""
    imported = import_lines(file_of(*[b"nonsense"] * (IMPORT_REASONS + 50)), store, NOW)
    assert (imported.rejected, len(imported.reasons)) == (IMPORT_REASONS + 50, IMPORT_REASONS)
    assert imported.reasons[-1].line == IMPORT_REASONS


def test_what_editors_do_to_files_is_taken(store: Store) -> None:
    """A byte order mark, CR LF, blank lines, no end of line at the end."""
    raw = b'\xef\xbb\xbf{"visitorId": "a"}\r\n\r\n  \n{"visitorId": "b"}\nbad\n{"visitorId": "c"}'
    imported = import_lines(io.BytesIO(raw), store, NOW)
    assert (imported.total, imported.imported) == (4, 3)
    assert [number for number, _ in reasons(imported)] == [5]


def test_a_line_of_exactly_the_limit_is_taken(store: Store) -> None:
    """The limit counts the line without its end, at the end of the file too."""
    start, end = b'{"visitorId": "ann", "traits": {"big": "', b'"}}'
    line = start + b"x" * (IMPORT_LINE_BYTES - len(start) - len(end)) + end
    assert import_lines(io.BytesIO(line + b"\n" + line), store, NOW).imported == 2
    over = line.replace(b"xx", b"xxx", 1)
    assert reasons(import_lines(io.BytesIO(over + b"\n" + over), store, NOW)) == [
        (1, "longer than 1,048,576 bytes"),
        (2, "longer than 1,048,576 bytes"),
    ]


class EndlessLine:
    """A line of about a gigabyte that is nowhere in memory, then a good one; notes the largest piece asked for."""

    def __init__(self) -> None:
        self.pieces = 1_000
        self.rest = [b"x\n", b'{"visitorId": "ann"}\n']
        self.largest = 0

    def readline(self, size: int) -> bytes:
        """The next piece of a line, at most `size` bytes."""
        self.largest = max(self.largest, size)
        if self.pieces:
            self.pieces -= 1
            return b"x" * size
        return self.rest.pop(0) if self.rest else b""


def test_a_gigabyte_without_a_line_end_is_one_bad_line(store: Store) -> None:
    """It is skipped in pieces of the limit's size, and the next line counts as the second."""
    endless = EndlessLine()
    imported = import_lines(endless, store, NOW)  # type: ignore[arg-type]
    assert (imported.total, imported.imported) == (2, 1)
    assert reasons(imported) == [(1, "longer than 1,048,576 bytes")]
    assert endless.largest <= IMPORT_LINE_BYTES + 1


def test_progress_counts_bytes_to_the_end(store: Store) -> None:
    """After each batch, and at last the whole file, bad lines and blank ones too."""
    file = file_of(*[{"visitorId": f"v{n}", "traits": {"n": n}} for n in range(IMPORT_BATCH_LINES * 2 + 1)], b"bad")
    seen: list[tuple[int, int]] = []
    import_lines(file, store, NOW, lambda read, lines: seen.append((read, lines)))
    assert seen == sorted(seen)
    assert [lines for _, lines in seen] == [IMPORT_BATCH_LINES, IMPORT_BATCH_LINES * 2, IMPORT_BATCH_LINES * 2 + 1]
    assert seen[-1][0] == len(file.getvalue())
    assert store.stats().records == IMPORT_BATCH_LINES * 2 + 1


def test_importing_again_changes_nothing(store: Store) -> None:
    """The same file at the same time ends in the same bytes; later, in the same values."""
    lines = [{"visitorId": f"v{n}", "traits": {"n": n}, "account": {"id": n % 3, "n": n}} for n in range(50)]
    import_lines(file_of(*lines), store, NOW)
    first = held(store)
    import_lines(file_of(*lines), store, NOW)
    assert held(store) == first
    profiles = [read_profile(store, f"v{n}") for n in range(50)]
    import_lines(file_of(*lines), store, NOW + timedelta(hours=1))
    assert [read_profile(store, f"v{n}") for n in range(50)] == profiles


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([b'{"visitorId": "a"}', b"\n", b"\r"]), max_size=8))
def test_no_bytes_stop_an_import(pieces: Sequence[bytes]) -> None:
    """Whatever a file holds, every line that is not blank is counted as taken or left out, and nothing is raised."""
    raw = b"\n".join(pieces)
    imported = import_lines(io.BytesIO(raw), NoStore(), NOW)  # type: ignore[arg-type]
    lines = [line for line in raw.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    assert imported.total == len(lines) == imported.imported + imported.rejected


class NoStore:
    """Takes everything, keeps nothing but the sizes of the batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def apply(self, changes: Sequence[object]) -> int:
        """Gone."""
        self.batches.append(len(changes))
        return len(changes)


def test_batches_are_bounded() -> None:
    """Nothing is held back and nothing handed over twice: two records a line, a thousand lines a batch."""
    store = NoStore()
    lines = [{"visitorId": f"v{n}", "account": {"n": n}} for n in range(IMPORT_BATCH_LINES + 1)]
    import_lines(file_of(*lines), store, NOW)  # type: ignore[arg-type]
    assert store.batches == [2 * IMPORT_BATCH_LINES, 2]
