"""A log of events for each test: rules as text, messages as Segment's libraries send them, figures as they come out."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from plain import module_at

from engine.events.line import encode
from engine.events.log import EventLog
from engine.lift.asking import Asking
from engine.lift.counting import Counted, count
from engine.rules.folder import load
from engine.words import Ruleset

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RULES = """\
segments:
  small: {name: Small company, when: traits.employees < 50}
  large: {name: Large company, when: traits.employees >= 50}
experiences:
  home:
    name: Homepage
    pages: ["https://www.example.com/"]
    SPLIT
    audiences:
      - {segment: small, variants: [{key: hero, changes: [{selector: h1, text: Small}]}]}
      - {segment: large, control: 20%, variants: [{key: hero, changes: [{selector: h1, text: Large}]}]}
conversions:
  signed-up: {event: Signed Up}
"""


class Stream:
    """Messages in the form that the log keeps, one after the other; `day` is counted from the beginning."""

    begin = BEGIN
    now = NOW

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def add(self, type_: str, day: float, anonymous: str | None, user: str | None, **fields: Any) -> None:
        """Any message."""
        moment = (BEGIN + timedelta(days=day)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        ids = {"anonymousId": anonymous, "userId": user}
        number = len(self.messages)
        self.messages.append({"type": type_, "messageId": f"m-{number}", "timestamp": moment, **ids, **fields})

    def shown(
        self,
        day: float,
        anonymous: str | None,
        *,
        personalized: Any,
        user: str | None = None,
        segment: str = "Small company",
    ) -> None:
        """An exposure."""
        said = {"experience": "Homepage", "audienceSegment": segment, "personalized": personalized}
        self.add("track", day, anonymous, user, event="Mutiny Experience Viewed", properties=said)

    def converted(
        self, day: float, anonymous: str | None = None, user: str | None = None, event: str = "Signed Up", **said: Any
    ) -> None:
        """A conversion."""
        self.add("track", day, anonymous, user, event=event, properties=said)

    def identified(
        self, day: float, anonymous: str | None, user: str | None = None, visitor: str | None = None
    ) -> None:
        """An identify: of a user, or that of client.js."""
        self.add("identify", day, anonymous, user, traits={"mutinyVisitorId": visitor} if visitor else {"plan": "free"})

    def many(self, visitors: int, rates: tuple[float, float], *, control: float = 0.5, named: str = "a") -> None:
        """Anonymous visitors, shown on the first day, of whom so many of control and of personalized convert."""
        sizes = round(visitors * control), visitors - round(visitors * control)
        for personalized, (size, rate) in enumerate(zip(sizes, rates, strict=True)):
            for number in range(size):
                who = f"{named}-{personalized}-{number}"
                self.shown(number / size, who, personalized=bool(personalized))
                if number < round(rate * size):
                    self.converted(1 + number / size, who)


@pytest.fixture
def stream() -> Stream:
    """No messages yet."""
    return Stream()


def ruleset(folder: Path, text: str) -> Ruleset:
    """What these rules say."""
    folder.mkdir(exist_ok=True)
    folder.joinpath("all.yaml").write_text(text, encoding="utf-8")
    loaded = load(folder, doubts=False)
    assert loaded.ruleset is not None, loaded.problems
    return loaded.ruleset


@pytest.fixture
def rules(tmp_path: Path) -> Callable[..., Ruleset]:
    """`rules(split="user", conversions=…)`: one experience, two segments, a goal or other ones."""

    def rules(split: str = "visitor", conversions: str = "") -> Ruleset:
        text = RULES.replace("SPLIT", f"split_by: {split}")
        if conversions:
            text = f"{text.partition('conversions:')[0]}conversions:\n{conversions}"
        return ruleset(tmp_path / "rules", text)

    return rules


def written(folder: Path, messages: Sequence[dict[str, Any]]) -> Path:
    """A log of these, of one file."""
    log = EventLog(folder, lambda: NOW)
    lines = []
    for message in messages:
        moment = datetime.fromisoformat(message["timestamp"])
        lines.append(encode(int(moment.timestamp() * 1000), "website", json.dumps(message).encode()))
    if lines:
        log.append(lines)
    log.close()
    return folder


@pytest.fixture
def counted(rules: Callable[..., Ruleset], stream: Stream, tmp_path: Path) -> Callable[..., Counted]:
    """`counted(split=…, now=…, since=…)`: the stream's messages as a log, asked for all goals."""

    def counted(split: str = "visitor", conversions: str = "", now: datetime = NOW, **asked: Any) -> Counted:
        ruleset = rules(split, conversions)
        written(tmp_path / "events", stream.messages)
        return count([str(tmp_path / "events")], Asking(ruleset, tuple(ruleset.goals.values()), now, **asked))

    return counted


@pytest.fixture
def log_of() -> Callable[[Path, Sequence[dict[str, Any]]], Path]:
    """`log_of(folder, messages)` writes a log."""
    return written


@pytest.fixture(scope="session")
def tables() -> Iterator[ModuleType]:
    """The module that lays messages out as Segment's warehouse destination does."""
    return module_at(Path(__file__).parent / "segment_tables.py")
