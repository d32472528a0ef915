"""A node decides, whatever happens to its store; and takes new rules in the background."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from engine.decide.decider import NotAUrl
from engine.decide.wire import to_json
from engine.node import Node, open_store, utc_now
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.profiles.store import StoreError
from engine.settings import Settings
from engine.words import Page, Profile, Visit

RULES = """\
segments:
  small: {name: Small, when: "traits.employees < 50"}
experiences:
  site:
    name: Site
    pages: ["/**"]
    audiences: [{segment: small, control: 0%, variants: [{key: v, changes: [{selector: h1, text: Hi}]}]}]
  always:
    name: Always
    pages: ["/**"]
    audiences: [{segment: all, control: 0%, variants: [{key: v, changes: [{selector: h2, text: Hi}]}]}]
"""
ALL = "segments:\n  all: {name: All, when: 'page.host != \"\"'}\n"
PAGE = Page("https://www.example.com/")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node of its own folder."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(RULES)
    (tmp_path / "rules" / "b.yaml").write_text(ALL)
    node = Node(Settings(tmp_path / "rules", tmp_path / "data"))
    yield node
    node.store.close()


def shown(node: Node, traits: dict[str, object], visitor: str = "v1") -> list[str]:
    """The experiences that answer."""
    return [a.experience for a in node.decide(visitor, PAGE, Visit(), traits).assignments]


def know(node: Node, **traits: object) -> None:
    """Store traits of the visitor v1."""
    node.store.apply([Change(key("visitor", "v1"), 1, traits)])


def test_stored_traits_decide(node: Node) -> None:
    """What the store knows of a visitor."""
    know(node, employees=12)
    assert shown(node, {}) == ["always", "site"]
    assert shown(node, {}, "v2") == ["always"]


def test_traits_of_the_page_lie_under_the_stored_ones(node: Node) -> None:
    """A page can add what is not known, and can contradict nothing."""
    assert shown(node, {"employees": 12}) == ["always", "site"]
    know(node, employees=5000)
    assert shown(node, {"employees": 12}) == ["always"]


def test_without_a_store_page_and_visit_decide(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    """No exception, an answer that says `degraded`, and one line in the log for many of them."""
    know(node, employees=12)
    node.store.close()
    with caplog.at_level(logging.ERROR):
        decisions = [node.decide("v1", PAGE, Visit(), {}) for _ in range(50)]
    assert all(decision.degraded for decision in decisions)
    assert [a.experience for a in decisions[0].assignments] == ["always"]
    assert (node.degraded, len(caplog.records)) == (50, 1)


def test_an_answer_in_short_is_the_decision_as_bytes(node: Node) -> None:
    """Of a page that was asked for before; where something is wrong there is none, and nothing is said or counted."""
    know(node, employees=12)
    assert node.answer("v1", PAGE.url) is None
    decisions = {visitor: to_json(node.decide(visitor, PAGE, Visit(), {})) for visitor in ("v1", "v2")}
    assert {visitor: node.answer(visitor, PAGE.url) for visitor in decisions} == decisions
    assert node.answer("v1", "no url") is None
    node.store.close()
    assert node.answer("v1", PAGE.url) is None
    assert node.degraded == 0


def test_trouble_with_the_store_is_one_line_told_once(
    node: Node, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that was removed while it was in use: kept for `/readyz`, logged once, and decisions go on."""
    assert node.store_trouble is None
    know(node, employees=12)
    (tmp_path / "data" / "profiles" / "data.mdb").unlink()
    with caplog.at_level(logging.ERROR):
        node.look_at_store()
        node.look_at_store()
    assert node.store_trouble is not None
    assert "was removed while it was in use" in node.store_trouble
    assert len(caplog.records) == 1
    assert shown(node, {}) == ["always"]


def test_damaged_records_are_trouble(node: Node, tmp_path: Path) -> None:
    """They are counted once somebody met them, and the line names the command that says which."""
    know(node, plan="secret")
    data = tmp_path / "data" / "profiles" / "data.mdb"
    raw = bytearray(data.read_bytes())
    with data.open("r+b") as file:
        file.seek(raw.rindex(b"secret"))
        file.write(b"sekret")
    node.decide("v1", PAGE, Visit(), {})
    node.look_at_store()
    assert node.store_trouble == "1 record is damaged and read as absent; `mutiny-edge store verify` says which"


def test_a_worker_goes_on_without_a_damaged_store(node: Node, tmp_path: Path) -> None:
    """Whoever starts the service is refused; a worker that others rely on decides on page and visit alone."""
    know(node, employees=12)
    node.store.close()
    (tmp_path / "data" / "profiles" / "data.mdb").write_bytes(b"")
    with pytest.raises(StoreError, match="was emptied"):
        Node(node.settings)
    worker = Node(node.settings, go_on=True)
    assert worker.ready
    assert "was emptied" in str(worker.store_trouble)
    assert shown(worker, {}) == ["always"]


def test_a_page_without_a_url_is_told(node: Node) -> None:
    """The one thing that a caller can get wrong."""
    with pytest.raises(NotAUrl):
        node.decide("v1", Page("pricing"), Visit(), {})


def test_new_rules_come_in_the_background(node: Node, tmp_path: Path) -> None:
    """A started node takes them by itself, and deciding goes on meanwhile."""

    async def run() -> None:
        node.start()
        (tmp_path / "rules" / "b.yaml").write_text(ALL.replace("All", "Everybody"))
        before = node.held.decider.ruleset.version
        async with asyncio.timeout(60):
            while node.held.decider.ruleset.version == before:
                assert shown(node, {}) == ["always"]
                await asyncio.sleep(0.01)
        await node.stop()

    asyncio.run(run())
    assert node.held.decider.ruleset.segments["all"].name == "Everybody"


@pytest.mark.parametrize("ending", [False, True])
def test_pages_are_ready_unless_the_service_has_to_end(node: Node, ending: bool) -> None:
    """What visitors would wait for is compiled in a thread, and given up where no visitor will come."""
    node.draining = ending
    asyncio.run(node.warm())
    assert (node.held.decider.known(PAGE.url) is None) is ending


def test_ready_unless_draining(node: Node) -> None:
    """Broken rule files do not make a node unready; going away does."""
    assert node.ready
    node.draining = True
    assert not node.ready


def test_the_clock_is_utc(node: Node) -> None:
    """Whatever the machine's zone is."""
    assert node.held.since.tzinfo is UTC
    assert node.held.since <= utc_now()


def test_an_unknown_store_is_refused(tmp_path: Path) -> None:
    """A wrong `--store` must not quietly mean the embedded one."""
    with pytest.raises(StoreError, match="redis://cache"):
        open_store(Settings(data=tmp_path, store="redis://cache"))


def test_a_node_that_only_reads_writes_nothing(tmp_path: Path) -> None:
    """Neither a store nor a last good ruleset, and it decides all the same; what is stored it reads."""
    rules, data = tmp_path / "rules", tmp_path / "data"
    rules.mkdir()
    (rules / "b.yaml").write_text(ALL)
    reader = Node(Settings(rules, data), read_only=True)
    assert reader.profile("ada", {}) == Profile("ada")
    reader.store.close()
    assert not data.exists()
    store = open_store(Settings(rules, data))
    store.apply([Change(key("visitor", "ada"), 1, {"plan": "free"})])
    store.close()
    reader = Node(Settings(rules, data), read_only=True)
    assert reader.profile("ada", {}).traits == {"plan": "free"}
    with pytest.raises(StoreError):
        reader.store.apply([Change(key("visitor", "ada"), 2, {"plan": "pro"})])
    assert reader.profile("ada", {}).traits == {"plan": "free"}
    reader.store.close()
    assert [path.name for path in data.iterdir()] == ["profiles"]


LOOKING = """\
segments:
  everybody: {name: E, when: 'page.host != ""'}
  tested: {name: T, when: 'now > timestamp("2020-01-01T00:00:00Z")'}
  titled: {name: T, when: 'page.title == "Home" && visit.count == 3'}
  gone: {name: G, when: '!has(traits.plan)'}
experiences:
  over: {name: O, pages: [/over], schedule: {end: 2020-01-01T00:00:00Z}, audiences: [{segment: everybody, control: 0%}]}
  runs:
    name: R
    pages: [/runs]
    schedule: {start: 2020-01-01T00:00:00Z}
    audiences: [{segment: everybody, control: 0%}]
  timed: {name: M, pages: [/timed], audiences: [{segment: tested, control: 0%}]}
  view: {name: V, pages: [/view], audiences: [{segment: titled, control: 0%}]}
  plain: {name: P, pages: [/plain], audiences: [{segment: everybody, control: 0%}]}
  person: {name: Q, pages: [/person], audiences: [{segment: gone, control: 0%}]}
"""


@pytest.fixture
def looking(tmp_path: Path) -> Iterator[Node]:
    """A node whose pages look at different things."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(
        LOOKING.replace("control: 0%}", "control: 0%, variants: [{key: v, changes: [{selector: h1, text: Hi}]}]}")
    )
    node = Node(Settings(tmp_path / "rules", tmp_path / "data"))
    yield node
    node.store.close()


def on(node: Node, path: str) -> list[str]:
    """The experiences that answer on this page, on a third visit to "Home"."""
    page = Page(f"https://www.example.com/{path}", title="Home")
    return [a.experience for a in node.decide("v1", page, Visit(3), {}).assignments]


def test_pages_are_given_what_their_rules_look_at(looking: Node) -> None:
    """The time, by a condition or a schedule; title and visit; a person of whom nothing is known."""
    shown = {path: on(looking, path) for path in ("over", "runs", "timed", "view", "plain", "person", "none")}
    assert shown == {"over": [], "none": []} | {path: [path] for path in ("runs", "timed", "view", "plain", "person")}


def test_a_page_that_looks_at_nobody_needs_no_store(looking: Node) -> None:
    """Its answer lacks nothing and is not degraded; that of another page does and is."""
    looking.store.close()
    for path, degraded in (("plain", False), ("none", False), ("person", True)):
        decision = looking.decide("v1", Page(f"https://www.example.com/{path}"), Visit(), {})
        assert decision.degraded == degraded
    assert looking.degraded == 1
