"""`mutiny-edge simulate`: a stream of visitors and conversions with a lift that is known, to see all of it at work.

1. The visitors are made for the rules (`engine.simulation`), and what they see is decided by them. Their messages go
   the way of real ones: judged, into the log, into the store; only the time at which they come is simulated.
2. Never among real events: a data folder that holds any is refused, unless `--add` says that it is meant. Cut short, it
   leaves nothing behind in folders that it made (`whole`), for half a stream looks like a whole one.
3. What is printed is the truth, the rates that chance was given, to be compared with what `lift` makes of the events.
4. The demo writes a small stream by the same command.
"""

import random
import shlex
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click
import msgspec
import re2

from engine.cli import completion, options
from engine.cli.kinds import Whole
from engine.cli.screen import counted, fail, say
from engine.cli.stored import bytes_bar, named
from engine.cli.table import print_table
from engine.cli.trouble import told
from engine.decide.decider import Decider
from engine.events.line import encode
from engine.events.log import EventLog
from engine.events.reading import files
from engine.holder import RulesBroken, read
from engine.node import STORE_FOLDER, open_store, utc_now
from engine.problems import did_you_mean, errors
from engine.profiles import identity
from engine.profiles.store import Span, Store
from engine.segment.accept import Envelope, accept
from engine.segment.applying import Applying
from engine.segment.message import Message
from engine.segment.restoring import all_files
from engine.settings import Settings
from engine.shared import is_shared
from engine.simulation.stream import Simulation, Wanted
from engine.simulation.truth import Effect
from engine.simulation.visitor import Said
from engine.words import Experience

GROUP: Final = 2_000  # messages that share one fsync, and one commit of the store
_NUMBER: Final = r"-?[0-9]{1,6}(?:\.[0-9]{1,4})?"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_encode: Final = msgspec.json.Encoder().encode

SPLIT_HELP: Final = "PERSONALIZED/CONTROL: lose exposures of the one or the other, until they stand so."

EPILOG = """\b
Examples:
  mutiny-edge simulate --data trial && mutiny-edge lift --data trial
  mutiny-edge simulate --data trial --lift 0%                 nothing to be found
  mutiny-edge simulate --data trial --broken-split 55/45      55 personalized to 45 control
"""


class Percent(click.ParamType[float]):
    """`20%`, as a fraction."""

    name = "percent"

    def __init__(self, least: float, most: float) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The fraction, or a usage error with the bounds."""
        found = re2.fullmatch(f"({_NUMBER})%", str(value))
        if found is None or not self._least <= float(found.group(1)) <= self._most:
            meant = f"; did you mean `{value}%`?" if re2.fullmatch(_NUMBER, str(value)) else "."
            self.fail(f"Expected a share from {self._least:g}% to {self._most:g}%, got {value!r}{meant}", param, ctx)
        return float(found.group(1)) / 100


class Split(click.ParamType[float]):
    """`55/45`: how many of a hundred exposures are personalized, and how many control; as a fraction of the first."""

    name = "split"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The fraction, or a usage error with an example."""
        found = re2.fullmatch(r"([1-9][0-9]?)/([1-9][0-9]?)", str(value))
        if found is None or sum(map(int, found.groups())) != 100:
            self.fail(f"Expected personalized/control, such as 55/45, got {value!r}.", param, ctx)
        return int(found.group(1)) / 100


@click.command(epilog=EPILOG)
@options.rules
@options.data
@options.store
@click.option(
    "--experience",
    metavar="KEY",
    shell_complete=completion.experiences,
    help="Only for this experience's pages.  [default: all that are live]",
)
@click.option("--visitors", type=Whole(1, 10_000_000), default=50_000, show_default=True, help="How many come.")
@click.option("--days", type=Whole(1, 365), default=14, show_default=True, help="In how many days they come.")
@click.option("--rate", type=Percent(0.01, 95), default="5%", show_default=True, help="How many of control convert.")
@click.option("--lift", type=Percent(-100, 1_000), default="20%", show_default=True, help="How many more personalized.")
@click.option("--broken-split", type=Split(), metavar="55/45", help=SPLIT_HELP)
@click.option("--seed", type=Whole(0), default=1, show_default=True, help="The same seed, the same stream.")
@click.option("--add", is_flag=True, help="Also into a data folder that holds events already.")
@options.form("text", "json")
def command(rules: Path, data: Path, store: str | None, form: str, **asked: Any) -> None:
    """Make up visitors and conversions, to see it all at work.

    For before there is traffic. Visitors fit the segments of the rules, what they see is decided by the rules, and who
    sees a personalized version converts more often by --lift. They came in the past, so long ago that every goal's
    window is closed. Prints the true rates, to compare with what `mutiny-edge lift` says. The rules must name a goal,
    under `conversions:`.
    """
    settings = options.settings(rules=rules, data=data, store=store)
    if not asked["add"]:
        refuse_among_others(settings)
    with told():
        decider = decider_of(rules)
        if not decider.ruleset.goals:
            fail("the rules name no goal, so nobody could convert; add one under `conversions:`")
        experiences = live(decider, asked["experience"])
        wanted = Wanted(asked["visitors"], asked["days"], asked["rate"], asked["lift"], asked["broken_split"])
        chance = random.Random(asked["seed"])  # noqa: S311 - nobody's secret, and the same every time
        simulation = Simulation(decider, experiences, wanted, utc_now(), chance)
        with whole(settings), closing(open_store(settings)) as opened, bytes_bar("visitors", wanted.visitors) as came:
            messages = written(simulation, settings, opened, came)
    if form == "json":
        click.echo(msgspec.json.format(_encode(as_json(simulation, messages, decider))).decode())
    else:
        tell(simulation, wanted, messages, settings, decider)


def refuse_among_others(settings: Settings) -> None:
    """End the command where events or profiles are that are not simulated, or may be."""
    if is_shared(settings):
        fail(
            f"{named(settings)}: only of the store in a data folder is it known here whether anything is in it, and "
            "simulated profiles would be among the others for good; leave out --store, or give --add if it is meant"
        )
    if all_files(settings.logs.events) or identity.has_store(settings.data / STORE_FOLDER):
        fail(
            f"{settings.data}: holds events or profiles already, and simulated ones would be among them for good; "
            "give a new folder with --data, or --add if that is what you want"
        )


@contextmanager
def whole(settings: Settings) -> Iterator[None]:
    """All of it, or nothing is left of it: folders that were not there before go, and what cannot go is told."""
    folder = settings.logs.events
    made = [path for path in (settings.data, folder, settings.data / STORE_FOLDER) if not path.exists()]
    there = files(folder)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except BaseException:
        if files(folder) != there:
            gone = folder in made and not is_shared(settings)
            say(f"cut short: {'nothing' if gone else 'part'} of the stream is in {named(settings)} now")
        for path in made:
            shutil.rmtree(path, ignore_errors=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def decider_of(rules: Path) -> Decider:
    """Raises RulesBroken."""
    reading = read(rules)
    if reading.decider is None:
        raise RulesBroken(tuple(errors(reading.problems)))
    return reading.decider


def live(decider: Decider, key: str | None) -> list[Experience]:
    """The live experiences, or this one; ends the command where there is none."""
    found = [one for one in decider.ruleset.experiences.values() if one.status == "live"]
    if key is not None and key not in {one.key for one in found}:
        near = did_you_mean(key, [one.key for one in found])
        fail(f"there is no live experience `{key}`{'; ' + near if near else ''}")
    if not found:
        fail("no experience is live, so nobody would see anything; `status: live` makes one so")
    return [one for one in found if key in {None, one.key}]


def written(simulation: Simulation, settings: Settings, store: Store, came: Callable[[int], None]) -> int:
    """The whole stream into log and store, as if it came now; how many messages. Raises StoreError, LogError."""
    clock = [simulation.begins]
    log = EventLog(settings.logs.events, lambda: clock[0], hourly=False)
    applying = Applying(store)
    number = 0
    try:
        coming = _coming(simulation, came)
        while group := list(islice(coming, GROUP)):
            messages = [message for said in group for message in _accepted(said)]
            clock[0] = _moment(group[0].received_ms)
            said = applying.said(messages)
            lines = [encode(one.received_ms, one.source, one.body) for one in messages]
            position = log.append(lines)
            applying.keep(said, {position.file: Span(position.end - sum(map(len, lines)), position.end)})
            number += len(messages)
    finally:
        log.close()
    return number


def _coming(simulation: Simulation, came: Callable[[int], None]) -> Iterator[Said]:
    for said in simulation.messages():
        if said is None:
            came(1)
        else:
            yield said


def _accepted(said: Said) -> Sequence[Message]:
    """As a request of its own that came just then."""
    return accept(Envelope(said.body["type"], [_encode(said.body)]), said.source, _moment(said.received_ms)).messages


def _moment(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at_ms)


def tell(simulation: Simulation, wanted: Wanted, messages: int, settings: Settings, decider: Decider) -> None:
    """What is true, and what to do next."""
    effects = simulation.effects()
    head = ("experience", "segment", "goal", "control", "true rate", "personalized", "true rate", "true lift")
    if effects:
        print_table([head, *(_row(effect, decider) for effect in effects)], left=(0, 1, 2))
    say(
        f"\n{counted(wanted.visitors, 'visitor')} who came from {simulation.begins:%Y-%m-%d} to "
        f"{simulation.ends:%Y-%m-%d}, {messages:,} messages in {settings.logs.events}"
    )
    for key, segment in simulation.missing:
        say(f"nobody could be made up who comes to {segment} of {key}{_not_then(decider, key, simulation)}")
    for goal in simulation.missing_goals:
        say(f"no event could be made up that counts for {goal}")
    if not effects:
        say("nothing can be compared: nobody was shown anything")
        return
    say(f"Now: mutiny-edge lift --rules {shlex.quote(str(settings.rules))} --data {shlex.quote(str(settings.data))}")


def _not_then(decider: Decider, key: str, simulation: Simulation) -> str:
    """That the visitors come while it is not shown, if that is so."""
    experience = decider.ruleset.experiences[key]
    come = f"the visitors come from {simulation.begins:%Y-%m-%d} to {simulation.ends:%Y-%m-%d}"
    if experience.start is not None and experience.start > simulation.ends:
        return f": it begins on {experience.start:%Y-%m-%d}, {come}"
    if experience.end is not None and experience.end <= simulation.ends:
        return f": it ends on {experience.end:%Y-%m-%d}, {come}"
    return ""


def _named(effect: Effect, decider: Decider) -> tuple[str, str]:
    """Experience and segment as they are called in the events, and by `lift`."""
    ruleset = decider.ruleset
    return ruleset.experiences[effect.experience].name, ruleset.segments[effect.segment].name


def _row(effect: Effect, decider: Decider) -> tuple[str, ...]:
    control, personalized = effect.control, effect.personalized
    return (
        *_named(effect, decider),
        effect.goal,
        f"{control.visitors:,}",
        f"{control.rate:.2%}",
        f"{personalized.visitors:,}",
        f"{personalized.rate:.2%}",
        "" if effect.lift is None else f"{effect.lift:+.1%}",
    )


def as_json(simulation: Simulation, messages: int, decider: Decider) -> dict[str, Any]:
    """The same for programs."""
    return {
        "messages": messages,
        "begins": simulation.begins,
        "ends": simulation.ends,
        "effects": [_effect(one, decider) for one in simulation.effects()],
        "missing": [{"experience": experience, "segment": segment} for experience, segment in simulation.missing],
        "missingGoals": simulation.missing_goals,
    }


def _effect(effect: Effect, decider: Decider) -> dict[str, Any]:
    experience, segment = _named(effect, decider)
    groups = {"control": effect.control, "personalized": effect.personalized}
    return {
        "experience": experience,
        "audienceSegment": segment,
        "goal": effect.goal,
        **{name: {"visitors": one.visitors, "rate": round(one.rate, 9)} for name, one in groups.items()},
        "lift": None if effect.lift is None else round(effect.lift, 9),
    }
