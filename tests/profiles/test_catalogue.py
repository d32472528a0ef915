"""The catalogue: what is counted, what is shown as an example, and what a sample leaves alone."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine import limits
from engine.profiles.catalogue import Catalogue, Entry, catalogue, moment, to_json
from engine.profiles.encoding import merged
from engine.profiles.ids import Key, Kind, key
from engine.profiles.record import Change
from engine.profiles.store import DAMAGED, Found

HOUR_MS = 3_600_000
NOON_MS = 1_780_000_000_000 // HOUR_MS * HOUR_MS
ORIGIN = "website identify"


def row(
    kind: Kind, id_: str, traits: Mapping[str, Any], *, at: int = NOON_MS, origin: str = ORIGIN
) -> tuple[Key, Found]:
    """A record of which this was said at once."""
    at_key = key(kind, id_)
    return at_key, merged(None, [Change(at_key, at, traits, origin=origin)])


def name_row(name: str, first: int, last: int, *sources: str) -> tuple[Key, Found]:
    """A name record, as sightings make it."""
    of = key("name", name)
    said = {"last": last, **{f"source:{source}": True for source in sources}}
    return of, merged(None, [Change(of, -first, {"first": first}), Change(of, last, said)])


def by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The entries by their names."""
    return {entry.name: entry for entry in entries}


def test_what_is_counted() -> None:
    """Types, shares of the records that hold anything, sources, times; accounts apart from people."""
    rows = [
        row("visitor", "v", {"plan": "free"}, origin="import"),
        row("anonymous", "a", {"plan": "team", "employees": "12"}, at=NOON_MS + 5),
        row("user", "u", {"plan": "team", "employees": 12, "vip": True}, at=NOON_MS + 9, origin="backend identify"),
        row("user", "w", {"gone": None}),
        row("group", "acme", {"seats": 5, "tags": ["a"], "where": {"city": "Ulm"}}, origin="backend group"),
    ]
    found = catalogue(rows)
    assert (found.people.records, found.people.looked, found.people.holding) == (4, 4, 3)
    assert (found.groups.records, found.groups.holding, found.is_all, found.complete) == (1, 1, True, True)
    traits = by_name(found.traits)
    assert list(traits) == ["plan", "employees", "vip"]
    plan = traits["plan"]
    assert (plan.held, plan.share, plan.types, plan.sources) == (
        3,
        1.0,
        {"string": 3},
        ("backend", "import", "website"),
    )
    assert (plan.first_ms, plan.last_ms) == (NOON_MS, NOON_MS + 9)
    assert traits["employees"].types == {"string": 1, "number": 1}
    assert {name: dict(entry.types) for name, entry in by_name(found.account).items()} == {
        "seats": {"number": 1}, "tags": {"list": 1}, "where": {"map": 1},
    }  # fmt: skip


def test_examples_are_what_several_have() -> None:
    """What one record alone holds is nobody's business; the most common first; `1` and `true` are two values."""
    rows = [row("user", f"u{n}", {"plan": "team" if n % 3 else "free", "email": f"{n}@x"}) for n in range(9)]
    rows += [row("user", f"w{n}", {"flag": (1, True, 1.5)[n % 3]}) for n in range(6)]
    traits = by_name(catalogue(rows).traits)
    assert traits["plan"].examples == ("team", "free")
    assert traits["email"].examples == ()
    assert {(type(value), value) for value in traits["flag"].examples} == {(int, 1), (bool, True), (float, 1.5)}


def test_one_person_with_two_records_is_no_crowd() -> None:
    """An address in somebody's anonymous record and in their user record is still theirs."""
    rows = [row("anonymous", "a", {"email": "ada@x"}), row("user", "u", {"email": "ada@x"})]
    assert catalogue(rows).traits[0].examples == ()


def test_many_values_long_texts_and_lists_are_no_examples() -> None:
    """Only what has few, short values is shown."""
    most = limits.CATALOGUE_VALUES
    rows = [row("user", f"u{n}", {"few": n % most, "many": n % (most + 1)}) for n in range(3 * most)]
    rows += [row("user", f"w{n}", {"long": "x" * 101, "list": ["a"]}) for n in range(2)]
    traits = by_name(catalogue(rows).traits)
    assert len(traits["few"].examples) == most
    assert traits["many"].examples == traits["long"].examples == traits["list"].examples == ()


def test_name_records_know_what_records_do_not() -> None:
    """Events, first times, sources, and names that nobody holds any more; the link to a visitor is no trait."""
    rows = [
        row("user", "u", {"plan": "team"}),
        name_row("trait:plan", NOON_MS - 7 * HOUR_MS, NOON_MS - HOUR_MS, "backend"),
        name_row("trait:old", NOON_MS - 9, NOON_MS, "website"),
        name_row("trait:mutinyVisitorId", NOON_MS, NOON_MS, "website"),
        name_row("account:seats", NOON_MS, NOON_MS, "backend"),
        name_row("event:Signed Up", NOON_MS + 5, NOON_MS, "website", "backend"),
        name_row("source:website", NOON_MS, NOON_MS),
        name_row("event:", NOON_MS, NOON_MS),
    ]
    found = catalogue(rows)
    plan, old = found.traits
    assert (plan.first_ms, plan.last_ms, plan.sources) == (NOON_MS - 7 * HOUR_MS, NOON_MS, ("backend", "website"))
    assert (old.name, old.held, old.types, old.share) == ("old", 0, {}, 0.0)
    assert [entry.name for entry in found.account] == ["seats"]
    _, signed_up = found.events
    assert (signed_up.sources, signed_up.first_ms, signed_up.last_ms) == (
        ("backend", "website"),
        NOON_MS + 5,
        NOON_MS + 5,
    )


def test_a_sample_is_always_the_same_and_its_size() -> None:
    """Whatever order the rows come in; of accounts as many as of people."""
    rows = [row("user", f"u{n}", {"n": n % 7}) for n in range(50)]
    rows += [row("group", f"g{n}", {"n": n}) for n in range(5)]
    found = catalogue(rows, 10)
    assert found == catalogue(rows[::-1], 10)
    assert (found.people.records, found.people.looked, found.is_all) == (50, 10, False)
    assert (found.groups.records, found.groups.looked) == (5, 5)
    assert catalogue(rows, 50) == catalogue(rows)


def test_what_is_damaged_is_left_out() -> None:
    """By its checksum, by its bytes, by its key: counted, and nothing else."""
    rows: list[tuple[Key, Found]] = [
        (key("user", "a"), DAMAGED),
        (key("user", "b"), b"no record"),
        (Key(b"?:x"), b"no kind"),
        (key("name", "trait:old"), b"no record"),
        row("user", "c", {"plan": "team"}),
    ]
    found = catalogue(rows)
    assert found.damaged == 4
    assert by_name(found.traits)["plan"].held == 1


def test_ids_used_as_names_do_not_fill_the_memory(monkeypatch) -> None:
    """Beyond the limit names are not counted, and that is told."""
    monkeypatch.setattr("engine.profiles.catalogue.CATALOGUE_NAMES", 10)
    found = catalogue([row("user", "u", {f"t{n}": 1 for n in range(11)})])
    assert (len(found.traits), found.complete) == (10, False)
    found = catalogue([name_row(f"event:{n}", NOON_MS, NOON_MS) for n in range(11)])
    assert (len(found.events), found.complete) == (10, False)


def test_texts_are_counted_by_what_could_read_them() -> None:
    """Whoever knows the `traits:` types says which would take a text."""
    rows = [row("user", f"u{n}", {"employees": text}) for n, text in enumerate(("12", "45 people"))]
    readable = catalogue(rows, readable=lambda text: ["number"] if text.isdigit() else []).traits[0].readable
    assert readable == {"number": 1}


def test_the_form_for_programs() -> None:
    """Plain JSON, times as text."""
    rows = [row("user", f"u{n}", {"since": datetime(2026, 1, 1, tzinfo=UTC)}) for n in range(2)]
    rows.append(name_row("event:Signed Up", NOON_MS, NOON_MS, "website"))
    plain = json.loads(json.dumps(to_json(catalogue(rows))))
    assert plain["people"] == {"records": 2, "looked": 2, "holding": 2}
    [trait], [event] = plain["traits"], plain["events"]
    assert trait["examples"] == ["2026-01-01T00:00:00Z"]
    assert (trait["types"], trait["share"], trait["held"]) == ({"timestamp": 2}, 1.0, 2)
    seen = moment(NOON_MS).isoformat().replace("+00:00", "Z")
    assert event == {"name": "Signed Up", "sources": ["website"], "firstSeen": seen, "lastSeen": seen}


VALUES = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b"]) | st.lists(st.just(1), max_size=1)
PEOPLE = st.dictionaries(
    st.tuples(st.sampled_from(["visitor", "anonymous", "user"]), st.sampled_from("xyz")),
    st.dictionaries(st.sampled_from(["p", "q", "r"]), VALUES, min_size=1),
)


@given(PEOPLE)
def test_figures_add_up(people: dict[tuple[Kind, str], dict[str, Any]]) -> None:
    """A trait is held by as many as have a type of it, by no more than hold anything; no example is alone."""
    rows = [row(kind, id_, traits) for (kind, id_), traits in people.items()]
    found: Catalogue = catalogue(rows)
    assert found.people.holding == sum(any(v is not None for v in traits.values()) for traits in people.values())
    for entry in found.traits:
        held = [traits[entry.name] for traits in people.values() if traits.get(entry.name) is not None]
        assert entry.held == len(held) == sum(entry.types.values())
        assert entry.share == entry.held / found.people.holding
        assert all(sum(type(v) is type(e) and v == e for v in held) > 1 for e in entry.examples)
