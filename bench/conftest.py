"""What the benchmarks share: rules of any size, visitors for them, and timing switched on.

Rules are written as files and read back as the service does it, so a benchmark measures what ops would get.
"""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache

import pytest

from engine.rules.folder import load
from engine.words import Page, Profile, Ruleset, Visit

INDUSTRIES = ("saas", "fintech", "health", "retail", "energy", "media", "travel", "public")
PLANS = ("free", "trial", "team", "business", "enterprise")
AUDIENCES = 4  # segments of one experience


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """The suite's settings switch timing off, so that the normal run never waits for it; here it is what counts."""
    config.option.benchmark_disable = False


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Ruleset]:
    """`rules(100)`: that many segments of three conditions each, four to an experience, all on one page."""

    @cache
    def rules(segments: int) -> Ruleset:
        folder = tmp_path_factory.mktemp(f"rules-{segments}")
        folder.joinpath("rules.yaml").write_text("\n".join(_lines(segments)))
        ruleset = load(folder).ruleset
        assert ruleset is not None
        return ruleset

    return rules


@pytest.fixture(scope="session")
def profiles() -> list[Profile]:
    """A thousand visitors, of whom more or less is known."""
    return list(_profiles(1_000))


@pytest.fixture(scope="session")
def page() -> Page:
    """The page that all experiences stand on."""
    return Page("https://www.example.com/?utm_source=mail", "https://www.google.com/", "Home")


@pytest.fixture(scope="session")
def now() -> datetime:
    """A Monday in November."""
    return datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def visit() -> Visit:
    """A third visit from a desktop in Germany."""
    return Visit(count=3, device={"type": "desktop", "language": "de"}, geo={"country": "DE"})


def _lines(segments: int) -> Iterator[str]:
    chance = random.Random(7)
    yield "segments:"
    for number in range(segments):
        low = chance.randrange(1, 5_000)
        yield f"  segment-{number}:"
        yield f"    name: Segment {number}"
        yield (
            f"    when: traits.employees >= {low} && traits.employees < {low + 200}"
            f' && traits.industry == "{chance.choice(INDUSTRIES)}"'
            f' && traits.plan in ["{chance.choice(PLANS)}", "{chance.choice(PLANS)}"]'
        )
    yield "experiences:"
    for number in range(0, segments, AUDIENCES):
        yield f"  experience-{number}:"
        yield f"    name: Experience {number}"
        yield '    pages: ["https://www.example.com/"]'
        yield "    audiences:"
        for segment in range(number, min(number + AUDIENCES, segments)):
            yield f"      - segment: segment-{segment}"
            yield "        variants:"
            yield f'          - {{key: a, changes: [{{selector: "#place-{number}", text: "Version {segment}"}}]}}'


def _profiles(count: int) -> Iterator[Profile]:
    chance = random.Random(11)
    for number in range(count):
        traits = {
            "employees": chance.randrange(1, 5_200),
            "industry": chance.choice(INDUSTRIES),
            "plan": chance.choice(PLANS),
            "email": f"person{number}@example.org",
        }
        yield Profile(f"visitor-{number}", {name: value for name, value in traits.items() if chance.random() < 0.9})
