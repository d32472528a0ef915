"""Rules of any number for visitors of any number: the same every time, and the same for us and for every peer.

1. A `Rule` is plain data: who is between two numbers of employees, of this industry, on one of these plans. Three
   conditions over three traits (the first is a range, two comparisons), in a form that every peer can express.
2. Visitors come from a seed too. A tenth of their traits is missing, so that what is not known is part of what is
   measured; no rule asks for `!=` or "is missing", which peers answer differently (README).
3. `write` makes rule files of them, which are read back as the service does it.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from engine.rules.folder import load
from engine.words import Ruleset

INDUSTRIES = ("saas", "fintech", "health", "retail", "energy", "media", "travel", "public")
PLANS = ("free", "trial", "team", "business", "enterprise")
MOST_EMPLOYEES = 5_200
PAGE = "https://www.example.com/"
_A_FILE = 1_000  # segments; a file has its limit in bytes

Traits: TypeAlias = dict[str, Any]
Match: TypeAlias = Callable[[Traits], list[int]]  # the numbers of the rules that are true, ascending


class Rule(NamedTuple):
    """`low <= employees < high`, the industry, one of the plans."""

    low: int
    high: int
    industry: str
    plans: tuple[str, str]

    @property
    def condition(self) -> str:
        """The same in CEL."""
        return (
            f"traits.employees >= {self.low} && traits.employees < {self.high}"
            f' && traits.industry == "{self.industry}"'
            f' && traits.plan in ["{self.plans[0]}", "{self.plans[1]}"]'
        )

    def holds(self, traits: Traits) -> bool:
        """What is right: a trait that is missing fulfils nothing."""
        employees = traits.get("employees")
        return (
            employees is not None
            and self.low <= employees < self.high
            and traits.get("industry") == self.industry
            and traits.get("plan") in self.plans
        )


def rules(count: int, width: int = 200) -> list[Rule]:
    """So many rules; `width` is the range of employees that each takes in."""
    chance = random.Random(7)
    made = []
    for _ in range(count):
        low = chance.randrange(1, 5_000)
        industry = chance.choice(INDUSTRIES)
        made.append(Rule(low, low + width, industry, (chance.choice(PLANS), chance.choice(PLANS))))
    return made


def visitors(count: int) -> list[Traits]:
    """What is known of so many people: more or less."""
    chance = random.Random(11)
    found = []
    for number in range(count):
        traits = {
            "employees": chance.randrange(1, MOST_EMPLOYEES),
            "industry": chance.choice(INDUSTRIES),
            "plan": chance.choice(PLANS),
            "email": f"person{number}@example.org",
        }
        found.append({name: value for name, value in traits.items() if chance.random() < 0.9})
    return found


def ruleset(folder: Path, made: Sequence[Rule], audiences: int = 4) -> Ruleset:
    """The rules as files in this folder, read as the service reads them."""
    write(folder, made, audiences)
    loaded = load(folder, doubts=False).ruleset
    assert loaded is not None
    return loaded


def write(folder: Path, made: Sequence[Rule], audiences: int = 4) -> None:
    """Rule files: `audiences` segments to an experience, all experiences on one page."""
    for first in range(0, len(made), _A_FILE):
        last = min(first + _A_FILE, len(made))
        lines = [*_segments(made, first, last), *_experiences(first, last, audiences), ""]
        (folder / f"rules-{first:06}.yaml").write_text("\n".join(lines))


def number_of(key: str) -> int:
    """The rule of which the segment with this key was made."""
    return int(key.rpartition("-")[2])


def _segments(made: Sequence[Rule], first: int, last: int) -> Iterator[str]:
    yield "segments:"
    for number in range(first, last):
        yield f"  segment-{number:06}: {{name: Segment {number}, when: '{made[number].condition}'}}"


def _experiences(first: int, last: int, audiences: int) -> Iterator[str]:
    yield "experiences:"
    for number in range(first, last, audiences):
        yield f"  experience-{number:06}:"
        yield f"    name: Experience {number}"
        yield f'    pages: ["{PAGE}"]'
        yield "    audiences:"
        for segment in range(number, min(number + audiences, last)):
            yield f"      - segment: segment-{segment:06}"
            yield "        variants:"
            yield f'          - {{key: a, changes: [{{selector: "#place-{number}", text: "Version {segment}"}}]}}'
