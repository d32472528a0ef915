"""The face of the engine inside a program: it decides as the service does, and says what is wrong with a question."""

import asyncio
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import engine as package
from engine import Engine, QuestionError, RulesBroken, Visitor
from engine.node import Node
from engine.settings import Settings
from engine.web.decide import answer
from engine.web.surroundings import Proxies

CONDITIONS = {
    "trait": 'traits.plan == "pro"',
    "referrer": 'page.referrer == "https://search.example/"',
    "title": 'page.title == "Home"',
    "count": "visit.count == 3",
    "since": 'visit.first_seen < timestamp("2026-01-01T00:00:00Z")',
    "new": "visit.new",
    "device": 'device.type == "mobile"',
    "language": 'device.language == "de-AT"',
    "country": 'geo.country == "AT"',
    "region": 'geo.region == "AT-9"',
    "city": 'geo.city == "Wien"',
}
SAID: dict[str, dict[str, Any]] = {
    "trait": {"traits": {"plan": "pro", "gone": None}},
    "referrer": {"referrer": "https://search.example/"},
    "title": {"title": "Home"},
    "count": {"visit_count": 3},
    "since": {"first_seen": datetime(2025, 1, 1, tzinfo=UTC)},
    "new": {"new": True},
    "device": {"device_type": "mobile"},
    "language": {"language": "de-AT"},
    "country": {"country": "at"},
    "region": {"region": "at-9"},
    "city": {"city": "Wien"},
}


@pytest.fixture(scope="module")
def broad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine whose rules ask for everything that can be said of a page view."""
    folder = tmp_path_factory.mktemp("rules")
    segments = [f"  {name}: {{name: {name}, when: '{condition}'}}" for name, condition in CONDITIONS.items()]
    experiences = [
        f"  {name}: {{name: {name}, pages: ['/**'], audiences: "
        f"[{{segment: {name}, control: 0%, variants: [{{key: v, changes: [{{selector: '#{name}', text: Hi}}]}}]}}]}}"
        for name in CONDITIONS
    ]
    (folder / "a.yaml").write_text("\n".join(["segments:", *segments, "experiences:", *experiences]))
    with Engine.open(folder, folder / "data") as engine:
        yield engine


@pytest.mark.parametrize("name", CONDITIONS)
def test_what_is_said_of_a_page_view_decides(broad: Engine, name: str) -> None:
    """Each argument is what rules know under its name, and nothing else matches by it."""
    matched = [choice.experience for choice in broad.decide("ada", url="https://x.example/", **SAID[name]).decisions]
    assert matched == [name]
    assert broad.experiences == tuple(sorted(CONDITIONS))


def test_everything_that_is_said_at_once_decides(broad: Engine) -> None:
    """In all three ways to ask."""
    said = {argument: value for one in SAID.values() for argument, value in one.items()}
    answered = broad.decide("ada", url="https://x.example/", **said)
    assert {choice.experience for choice in answered.decisions} == set(CONDITIONS)
    assert broad.decide_json("ada", url="https://x.example/", **said) == answered.to_json()
    assert asyncio.run(broad.adecide("ada", url="https://x.example/", **said)) == answered


def test_it_answers_as_the_service_does(engine: Engine, site: SimpleNamespace) -> None:
    """The same bytes as `POST /v1/decide`, the first time and in short."""
    bodies = {
        visitor: b'{"visitorId":"%s","page":{"url":"%s"}}' % (visitor, site.url.encode())
        for visitor in (b"ada", b"bob")
    }
    asked = {visitor: [engine.decide_json(visitor.decode(), url=site.url) for _ in range(2)] for visitor in bodies}
    engine.close()
    node = Node(Settings(site.rules, site.data), read_only=True)
    for visitor, body in bodies.items():
        assert asked[visitor] == [answer(body, node, {}, None, Proxies())] * 2
    node.store.close()


def test_stored_traits_decide_and_those_of_the_program_lie_under_them(engine: Engine, site: SimpleNamespace) -> None:
    """A program can add what is not known, and can contradict nothing."""
    assert engine.decide("ada", url=site.url).variant("homepage") == "hero"
    assert engine.decide("ada", url=site.url, traits={"employees": 900}).variant("homepage") == "hero"
    assert engine.decide("bob", url=site.url).variant("homepage") is None
    assert engine.decide("bob", url=site.url, traits={"employees": 3}).variant("homepage") == "hero"


def test_what_is_no_question_is_told(engine: Engine) -> None:
    """A ValueError that names the argument."""
    for wrong in ("pricing", "/a b", "https:///a b", "https://" + "x" * 9_000 + "/"):
        with pytest.raises(QuestionError, match="Expected url as browsers show it"):
            engine.decide("ada", url=wrong)
        with pytest.raises(ValueError, match="Expected url as browsers show it"):
            engine.decide_json("ada", url=wrong)


@pytest.mark.parametrize("wrong", ["a b", "a\tb", "a\\b", "\udc80", "x" * 9_000, "\u3000", "?q=" + "x" * 9_000])
def test_any_address_of_a_page_is_answered(engine: Engine, site: SimpleNamespace, wrong: str) -> None:
    """As of the address that a browser would have sent."""
    engine.decide("ada", url=site.url)
    answered = engine.decide("ada", url=site.url + wrong)
    assert (answered.variant("homepage"), answered.degraded) == ("hero", False)
    assert engine.decide_json("ada", url=site.url + wrong) == answered.to_json()


def test_what_an_engine_is(engine: Engine, site: SimpleNamespace) -> None:
    """For a log: its folders and its rules, an answer without its JSON."""
    assert repr(engine) == f"<Engine rules='{site.rules}' data='{site.data}' ruleset='{engine.ruleset}'>"
    [banner, _] = engine.decide("ada", url=site.url).decisions
    assert repr(banner) == "Choice(experience='banner', segment='all', variant='v')"


@pytest.mark.parametrize(
    "wrong", [{"near_bytes": "x"}, {"near_bytes": 0}, {"read_budget_ms": -1}, {"read_budget_ms": 2.5}]
)
def test_a_number_out_of_bounds_is_told(site: SimpleNamespace, wrong: dict[str, Any]) -> None:
    """Whether it is looked at or not: the store may be another one tomorrow."""
    [name] = wrong
    with pytest.raises(ValueError, match=f"Expected {name} as a whole number from 1, got"):
        Engine.open(site.rules, site.data, **wrong)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"rules": None}, "rules as the path of a folder, got NoneType"),
        ({"data": b"data"}, "data as the path of a folder, got bytes"),
        ({"store": 3}, "store as an address such as redis://host:6379, or None, got int"),
        ({"store_prefix": None}, "store_prefix as text, got NoneType"),
    ],
)
def test_an_argument_of_another_type_is_named(site: SimpleNamespace, wrong: dict[str, Any], expected: str) -> None:
    """A variable that is not set, most likely."""
    with pytest.raises(TypeError, match=f"Expected {expected}"):
        Engine.open(**{"rules": site.rules, "data": site.data, **wrong})


def test_who_watches_is_asked_at_once(engine: Engine) -> None:
    """Not in the log, when rules are edited one day."""
    with pytest.raises(TypeError, match="Expected callback as a function that takes news, got int"):
        engine.watch(3)  # type: ignore[arg-type]


def test_an_engine_stays_in_its_process(engine: Engine) -> None:
    """Whoever sends it to one that is spawned is told what to do."""
    with pytest.raises(TypeError, match="cannot be copied or sent to another: open one in each"):
        pickle.dumps(engine)


def test_any_browser_is_a_visitor(engine: Engine, site: SimpleNamespace) -> None:
    """Whom the engine can decide for; each new one is another."""
    made = [Engine.visitor(cookies) for cookies in ({}, {}, {"mutiny_edge": "a b"}, {"mutiny_edge": "ada"})]
    assert len({visitor.id for visitor in made}) == 4
    assert made[-1] == Visitor("ada", "ada")
    assert [engine.decide(str(visitor.id), url=site.url).variant("homepage") for visitor in made] == [
        *[None] * 3,
        "hero",
    ]
    assert Engine.visitor({"mutiny_edge": "ada"}, "1").id is None


def test_after_the_end_deciding_is_an_error(engine: Engine, site: SimpleNamespace) -> None:
    """Of the program, and it is told; closing twice is none."""
    engine.decide("ada", url=site.url)
    engine.close()
    engine.close()
    for ask in (engine.decide, engine.decide_json):
        with pytest.raises(RuntimeError, match="closed"):
            ask("ada", url=site.url)


def test_the_services_variables_open_it(site: SimpleNamespace) -> None:
    """`MUTINY_EDGE_RULES` and its like."""
    said = {"MUTINY_EDGE_RULES": str(site.rules), "MUTINY_EDGE_DATA": str(site.data)}
    with Engine.from_environment(said) as engine:
        assert (engine.experiences, engine.trouble, len(engine.ruleset)) == (("banner", "homepage"), None, 8)
    assert not site.data.exists()


def test_broken_rules_are_told_with_file_and_line(site: SimpleNamespace) -> None:
    """In the exception's notes, which a traceback shows."""
    site.file.write_text(site.text.replace("segment: small", "segment: smal"))
    with pytest.raises(RulesBroken) as broken:
        Engine.open(site.rules, site.data)
    assert "did you mean `small`?" in broken.value.__notes__[0]
    assert "site.yaml:8:" in broken.value.__notes__[0]


def test_a_rules_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With its path, once."""
    with pytest.raises(RulesBroken) as broken:
        Engine.open(tmp_path / "nowhere", tmp_path / "data")
    [note] = broken.value.__notes__
    assert note == f"{tmp_path}/nowhere:1:1: error: there is no such rules folder [rules-folder-gone]"


def test_the_names_of_the_package_are_there_when_asked_for() -> None:
    """And no others; none of them is imported before."""
    assert {type(getattr(package, name)) for name in package.__all__} <= {type, type(package.Answer)}
    with pytest.raises(AttributeError, match="no attribute 'Machine'"):
        package.Machine  # noqa: B018
