"""The provider inside a program answers what `/ofrep` of a service answers, and tells the SDK what changes.

The real SDK in front of both: our provider over an engine, and `openfeature-provider-ofrep` over a running service that
has the same rules and the same data folder.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode, InvalidContextError
from openfeature.flag_evaluation import FlagEvaluationDetails
from openfeature.provider import ProviderStatus
from openfeature.provider.no_op_provider import NoOpProvider
from plain import module_at

from engine import Engine, QuestionError, limits
from engine.openfeature import MutinyEdgeProvider
from engine.profiles.ids import key
from engine.profiles.lmdb import LmdbStore
from engine.profiles.record import Change

URL = "https://www.example.com/"
RULES = """\
segments:
  small: {name: Small, when: traits.employees < 50}
  third: {name: Third, when: visit.count == 3}
  phone: {name: Phone, when: device.type == "mobile"}
  ad: {name: From an ad, when: page.query.utm == "ad"}
experiences:
  homepage:
    name: Homepage
    pages: ["https://www.example.com/"]
    audiences: [{segment: small, control: 0%, variants: [{key: hero, changes: [{selector: h1, text: Hi}]}]}]
  half:
    name: Half
    pages: ["/**"]
    audiences: [{segment: small, control: 50%, variants: [{key: v, changes: [{selector: h2, text: Hi}]}]}]
  kept-out:
    name: Kept out
    pages: ["/**"]
    holdout: 100%
    audiences: [{segment: small, variants: [{key: v, changes: [{selector: h3, text: Hi}]}]}]
  visit:
    name: Visit
    pages: ["/**"]
    audiences: [{segment: third, control: 0%, variants: [{key: v, changes: [{selector: h4, text: Hi}]}]}]
  device:
    name: Device
    pages: ["/**"]
    audiences: [{segment: phone, control: 0%, variants: [{key: v, changes: [{selector: h5, text: Hi}]}]}]
  query:
    name: Query
    pages: ["/**"]
    audiences: [{segment: ad, control: 0%, variants: [{key: v, changes: [{selector: h6, text: Hi}]}]}]
  asleep:
    name: Asleep
    status: paused
    pages: ["/**"]
    audiences: [{segment: small, variants: [{key: v, changes: [{selector: h1, text: Hi}]}]}]
"""
FLAGS = ("homepage", "half", "kept-out", "visit", "device", "query", "asleep", "no-such")
CONTEXTS = [
    EvaluationContext("ada", {"url": URL}),
    EvaluationContext(
        "ada", {"url": "https://www.example.com/pricing?utm=ad", "visit.count": 3, "device.type": "mobile"}
    ),
    EvaluationContext(
        "ada", {"page": {"url": URL, "title": "Home"}, "visit": {"count": 3}, "device": {"type": "mobile"}}
    ),
    EvaluationContext("ada", {}),
    EvaluationContext("bob", {"url": URL, "employees": 3, "anonymousId": "a-bob"}),
    EvaluationContext("bob", {"url": URL, "traits": {"employees": 3}, "device": "ios"}),
    EvaluationContext("eve", {"url": URL, "employees": 900}),
    EvaluationContext("eve", {"url": "pricing"}),
    EvaluationContext("eve", {"visit.count": "three"}),
    EvaluationContext("not an id", {"url": URL}),
    EvaluationContext(None, {"url": URL}),
    EvaluationContext(None, {}),
]


def _service() -> ModuleType:
    return module_at(Path(__file__).parent / "web" / "conftest.py")


@pytest.fixture(scope="module", autouse=True)
def hurry() -> Iterator[None]:
    """Rule files are looked at more often than four times a second, so that tests wait less."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "LOOK_INTERVAL_S", 0.03)
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Rules, and data with a visitor whose company has 12 employees."""
    folder = tmp_path_factory.mktemp("flags")
    (folder / "rules").mkdir()
    (folder / "rules" / "site.yaml").write_text(RULES)
    store = LmdbStore(folder / "data" / "profiles")
    store.apply([Change(key("visitor", "ada"), 1, {"employees": 12})])
    store.close()
    return folder / "rules", folder / "data"


@pytest.fixture(scope="module")
def clients(folders: tuple[Path, Path]) -> Iterator[tuple[OpenFeatureClient, OpenFeatureClient]]:
    """One over the engine, one over the service; both in one process, as a program that moves from one to the other."""
    service = _service().Service(*folders, "--drain", "0").up()
    with Engine.open(*folders) as engine:
        api.set_provider_and_wait(MutinyEdgeProvider(engine), "inside")
        api.set_provider_and_wait(OFREPProvider(service.url), "outside")
        yield api.get_client("inside"), api.get_client("outside")
        api.clear_providers()
    service.end(signal.SIGTERM)


def said(details: FlagEvaluationDetails[Any]) -> dict[str, Any]:
    """All that a caller sees but for the words of an error, and reason and value where there is one."""
    return {
        "value": details.value,
        "variant": details.variant,
        "reason": details.reason,
        "metadata": dict(details.flag_metadata),
        "error": details.error_code,
    }


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: f"{context.targeting_key} {list(context.attributes)}")
def test_it_answers_as_the_service_does(
    clients: tuple[OpenFeatureClient, OpenFeatureClient], context: EvaluationContext
) -> None:
    """The same value, variant, reason, metadata and error, for every flag, whoever is meant and whatever is said."""
    inside, outside = clients
    for flag in FLAGS:
        ours = said(inside.get_string_details(flag, "default", context))
        assert ours == said(outside.get_string_details(flag, "default", context)), flag


def test_another_type_gets_the_default_or_a_mismatch(clients: tuple[OpenFeatureClient, OpenFeatureClient]) -> None:
    """As over the protocol, which knows no types: an experience's value is text."""
    for context in (CONTEXTS[0], CONTEXTS[6]):
        for default, name in ((False, "boolean"), (7, "integer"), (0.5, "float"), ({"a": 1}, "object")):
            inside, outside = (
                said(getattr(client, f"get_{name}_details")("homepage", default, context)) for client in clients
            )
            assert inside == outside
            assert inside["error"] == (ErrorCode.TYPE_MISMATCH if context is CONTEXTS[0] else None)


def test_the_way_of_an_event_loop_is_the_same(clients: tuple[OpenFeatureClient, OpenFeatureClient]) -> None:
    """For each type."""
    inside, _ = clients
    asked: tuple[tuple[str, Any], ...] = (
        ("string", "d"),
        ("boolean", False),
        ("integer", 7),
        ("float", 0.5),
        ("object", {}),
    )

    async def run(context: EvaluationContext) -> list[dict[str, Any]]:
        return [
            said(await getattr(inside, f"get_{name}_details_async")("homepage", default, context))
            for name, default in asked
        ]

    for context in (CONTEXTS[0], CONTEXTS[6]):
        assert asyncio.run(run(context)) == [
            said(getattr(inside, f"get_{name}_details")("homepage", default, context)) for name, default in asked
        ]


def test_what_is_wrong_is_told_in_words(clients: tuple[OpenFeatureClient, OpenFeatureClient]) -> None:
    """And says what would be right; a time is as JSON has it."""
    inside, _ = clients
    assert "did you mean `homepage`?" in str(inside.get_string_details("homepagee", "d", CONTEXTS[0]).error_message)
    assert "Expected `targetingKey`" in str(inside.get_string_details("homepage", "d", CONTEXTS[-1]).error_message)
    moment = EvaluationContext("ada", {"url": URL, "visit.first_seen": datetime(2026, 1, 1, tzinfo=UTC)})
    assert inside.get_string_value("homepage", "d", moment) == "hero"


@pytest.mark.parametrize("key", [None, 3])
def test_a_key_that_is_no_text_is_no_flag(clients: tuple[OpenFeatureClient, OpenFeatureClient], key: Any) -> None:
    """As over HTTP, where it becomes the text of an address that nobody has."""
    inside, outside = (client.get_string_details(key, "d", CONTEXTS[0]) for client in clients)
    assert said(inside) == said(outside)
    assert "Expected the key of an experience as text" in str(inside.error_message)


def test_only_http_bounds_a_whole_context(clients: tuple[OpenFeatureClient, OpenFeatureClient]) -> None:
    """It is the size of a request that is refused there; here there is none."""
    inside, outside = clients
    large = EvaluationContext("ada", {"url": URL} | {f"t{number}": "x" * 1_000 for number in range(17)})
    assert inside.get_string_details("homepage", "d", large).value == "hero"
    assert outside.get_string_details("homepage", "d", large).error_code == ErrorCode.GENERAL


@pytest.mark.parametrize("value", [(1, 2), [1, {"a": (None,)}], 10**40, "\ud800", HTTPStatus.OK])
@pytest.mark.parametrize("under", [None, "traits"])
def test_what_a_decision_takes_a_context_may_hold(folders: tuple[Path, Path], value: Any, under: str | None) -> None:
    """What Python has beside JSON, and what it has of other sizes."""
    with Engine.open(*folders) as engine:
        assert engine.decide("ada", url=URL, traits={"odd": value}).variant("homepage") == "hero"
        assert asked_of(engine, value, under).value == "hero"


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), {1: 2}, b"x", datetime(2026, 1, 1)])  # noqa: DTZ001
@pytest.mark.parametrize("under", [None, "traits"])
def test_what_a_decision_refuses_is_no_context(folders: tuple[Path, Path], value: Any, under: str | None) -> None:
    """One rule for both: what is no JSON, and no moment in time, is told with its name."""
    with Engine.open(*folders) as engine:
        with pytest.raises(QuestionError, match=r"traits\.odd: expected"):
            engine.decide("ada", url=URL, traits={"odd": value})
        with pytest.raises(InvalidContextError, match="odd: expected"):
            asked_of(engine, value, under)


def asked_of(engine: Engine, value: Any, under: str | None) -> Any:
    """The flag of a visitor of whom this is said."""
    said = {"odd": value} if under is None else {under: {"odd": value}}
    return MutinyEdgeProvider(engine).resolve_string_details(
        "homepage", "d", EvaluationContext("ada", {"url": URL, **said})
    )


def test_a_hook_has_all_that_the_exposure_needs(clients: tuple[OpenFeatureClient, OpenFeatureClient]) -> None:
    """The properties of the tracking call are in the metadata of whoever matched, and of nobody else."""
    inside, _ = clients
    matched = inside.get_string_details("homepage", "control", CONTEXTS[0]).flag_metadata
    properties = {"experience": "Homepage", "audienceSegment": "Small", "personalized": True}
    assert matched.items() >= properties.items()
    assert not inside.get_string_details("homepage", "control", CONTEXTS[6]).flag_metadata.keys() & properties.keys()


def test_the_sdk_is_told_what_changes(tmp_path: Path) -> None:
    """Ready at once; other flags after other rules; stale while rule files are broken, ready again afterwards."""
    file = tmp_path / "rules" / "site.yaml"
    file.parent.mkdir()
    file.write_text(RULES)
    until, events = _service().until, []
    watched = SimpleNamespace(
        READY=ProviderEvent.PROVIDER_READY,
        CHANGED=ProviderEvent.PROVIDER_CONFIGURATION_CHANGED,
        STALE=ProviderEvent.PROVIDER_STALE,
    )
    client = api.get_client("told")
    handlers = [
        (event, lambda details, name=name: events.append((name, details))) for name, event in vars(watched).items()
    ]
    for event, handler in handlers:
        client.add_handler(event, handler)

    def told(name: str) -> list[EventDetails]:
        return [details for told, details in events if told == name]

    with Engine.open(file.parent, tmp_path / "data") as engine:
        api.set_provider_and_wait(MutinyEdgeProvider(engine), "told")
        until(lambda: told("READY"))
        file.write_text(RULES.replace("key: hero", "key: bold"))
        until(lambda: told("CHANGED"))
        assert (told("CHANGED")[0].flags_changed, told("CHANGED")[0].provider_name) == (["homepage"], "mutiny-edge")
        assert told("CHANGED")[0].metadata == {"version": engine.ruleset}
        file.write_text(RULES.replace("segment: third", "segment: thirt"))
        until(lambda: told("STALE"))
        assert "site.yaml" in str(told("STALE")[0].message)
        assert client.get_provider_status().value == "STALE"
        assert client.get_string_value("homepage", "d", CONTEXTS[4]) == "bold"
        ready = len(told("READY"))
        file.write_text(RULES.replace("key: hero", "key: bold"))
        until(lambda: len(told("READY")) > ready)
        api.set_provider(NoOpProvider(), "told")
        until(lambda: not engine.guest.callbacks and not engine.guest.endings)
    for event, handler in handlers:
        client.remove_handler(event, handler)


def test_the_sdk_is_told_what_begins_by_its_schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value is another one from then on, by the same rules."""
    file, events, client = tmp_path / "rules" / "site.yaml", list[EventDetails](), api.get_client("begins")
    file.parent.mkdir()
    pages = '    pages: ["https://www.example.com/"]\n'
    file.write_text(RULES.replace(pages, f"{pages}    schedule: {{start: 2099-01-01T12:00:00Z}}\n", 1))
    now = datetime(2099, 1, 1, 11, 59, 59, tzinfo=UTC)
    for module in ("node", "openfeature", "embedded.guest"):
        monkeypatch.setattr(f"engine.{module}.utc_now", lambda: now)
    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, events.append)
    with Engine.open(file.parent, tmp_path / "data") as engine:
        api.set_provider_and_wait(MutinyEdgeProvider(engine), "begins")
        assert client.get_string_value("homepage", "d", CONTEXTS[4]) == "d"
        now += timedelta(seconds=1)
        _service().until(lambda: events)
        assert client.get_string_value("homepage", "d", CONTEXTS[4]) == "hero"
        assert (events[0].flags_changed, events[0].metadata) == (["homepage"], {"version": engine.ruleset})
        api.set_provider(NoOpProvider(), "begins")
    client.remove_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, events.append)


def test_the_sdk_is_told_of_the_end(folders: tuple[Path, Path]) -> None:
    """Once the engine was closed nobody is asked: the status says so, and every value is the default."""
    engine, client = Engine.open(*folders), api.get_client("ended")
    api.set_provider_and_wait(MutinyEdgeProvider(engine), "ended")
    assert client.get_string_value("homepage", "d", CONTEXTS[0]) == "hero"
    engine.close()
    assert client.get_provider_status() == ProviderStatus.FATAL
    details = client.get_string_details("homepage", "d", CONTEXTS[0])
    assert (details.value, details.error_code) == ("d", ErrorCode.PROVIDER_FATAL)
    api.set_provider(NoOpProvider(), "ended")


def test_a_provider_is_made_of_an_engine() -> None:
    """Not of a folder; that is said where it is made."""
    with pytest.raises(TypeError, match=r"Expected an Engine, MutinyEdgeProvider\(Engine.open\(.*, got str"):
        MutinyEdgeProvider("rules")  # type: ignore[arg-type]


def test_without_the_sdk_one_is_told_what_to_install() -> None:
    """The engine itself does not need it."""
    program = "import sys; sys.modules['openfeature'] = None; import engine; engine.Engine; import engine.openfeature"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert "pip install 'mutiny-edge[openfeature]'" in done.stderr
