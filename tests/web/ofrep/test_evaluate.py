"""Law: a flag says of an experience what `/v1/decide` decides; the tag of all flags changes with the answer alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.node import Node
from engine.profiles.ids import key
from engine.profiles.record import Change
from engine.settings import Settings
from engine.web.app import build

ALL = "/ofrep/v1/evaluate/flags"
HOME = "https://www.example.com/"
NAMES = {
    "drawn": "Drawn",
    "several": "Several",
    "held-back": "Held back",
    "group-first": "First",
    "group-second": "Second",
    "phones-only": "On phones",
}
PHONE = ("user-agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148")

visitors = st.text("abcdef0123456789-", min_size=1, max_size=6)
urls = st.sampled_from([HOME, HOME + "pricing", HOME + "a/b", "https://docs.example.com/x", "https://else.test/"])
traits = st.fixed_dictionaries({}, optional={"employees": st.sampled_from([12, 500]), "plan": st.just("pro")})
referrers = st.sampled_from([None, "", "https://search.test/?q=1"])
counts = st.sampled_from([None, 1, 3])
devices = st.sampled_from([{}, {"type": "mobile"}, {"type": "desktop", "language": "de"}])


def matched(flags: dict[str, dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The flags that say something, as decisions."""
    return [
        (
            said["metadata"]["experience"],
            said["metadata"]["audienceSegment"],
            said["metadata"]["personalized"],
            said["value"],
        )
        for said in flags.values()
        if "value" in said
    ]


@given(visitors, urls, traits, referrers, counts, devices)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flags_are_the_decision(
    client: Any, visitor: str, url: str, traits: dict[str, Any], referrer: str, count: int, device: dict[str, str]
) -> None:
    """The same visitor on the same page: the same experiences, segments and groups, asked for all or one by one."""
    page = {"url": url, "referrer": referrer}
    seen = {"page": page, "visit": {"count": count}, "device": device}
    decisions = client.decisions({"visitorId": visitor, "traits": traits, **seen})
    expected = [
        (d["experience"], d["audienceSegment"], d["personalized"], d["variant"] or "control") for d in decisions
    ]
    context = {"targetingKey": visitor, **traits, **seen}
    flags = client.flags(context)
    assert matched(flags) == expected
    single = {key: client.flag(key, context) for key in NAMES}
    assert sorted(matched(single)) == sorted(expected)
    assert {key: single[key] for key in flags if key in NAMES} == {key: flags[key] for key in flags if key in NAMES}


@given(visitors, traits, referrers, counts)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_without_a_page_an_experience_is_everywhere(
    client: Any, visitor: str, traits: dict[str, Any], referrer: str, count: int
) -> None:
    """One by one and all at once come to the same; of a group one answers; conditions on the page do not match."""
    context = {"targetingKey": visitor, **traits, "referrer": referrer, "visit.count": count}
    flags = client.flags(context)
    assert {key: client.flag(key, context) for key in flags} == flags
    assert sum("value" in flags[key] for key in ("group-first", "group-second")) == 1
    assert ("value" in flags["several"]) == (count == 3)
    if flags["group-second"].get("value"):
        assert flags["group-second"]["metadata"]["audienceSegment"] == "Everybody"


@pytest.mark.parametrize(
    ("experience", "context", "reason"),
    [
        ("drawn", {"employees": 12}, "SPLIT"),
        ("drawn", {"plan": "pro"}, "TARGETING_MATCH"),
        ("several", {"visit.count": 2}, "SPLIT"),
        ("drawn", {}, "DEFAULT"),
        ("group-second", {"url": HOME, "employees": 12}, "DEFAULT"),
        ("over", {}, "DISABLED"),
        ("to-come", {}, "DISABLED"),
        ("resting", {"url": HOME}, "DISABLED"),
        ("secret", {"url": HOME}, "DISABLED"),
    ],
)
def test_the_reason_says_how_it_came(client: Any, experience: str, context: dict[str, Any], reason: str) -> None:
    """And there is a value exactly where somebody matched; who is in no group is not to be counted."""
    flag = client.flag(experience, {"targetingKey": "v", **context})
    assert flag["reason"] == reason
    drawn = reason in {"SPLIT", "TARGETING_MATCH"}
    assert ("value" in flag) == drawn == ("audienceSegment" in flag["metadata"])
    assert flag["variant"] == flag.get("value", "")


def test_a_flag_on_the_wire(client: Any, flags_node: Node) -> None:
    """Exactly the form that clients rely on."""
    version = flags_node.held.decider.ruleset.version
    seen = {"experience": "Drawn", "audienceSegment": "Known", "personalized": True, "version": version}
    assert client.flag("drawn", {"targetingKey": "v", "plan": "pro"}) == {
        "key": "drawn",
        "reason": "TARGETING_MATCH",
        "variant": "calm",
        "value": "calm",
        "metadata": seen,
    }
    assert client.flag("drawn", {"targetingKey": "v"})["metadata"] == {"version": version}


def test_one_flag_counts_as_one(client: Any, flags_node: Node) -> None:
    """Not as all that is decided on its page; of a draft nothing."""
    tally = flags_node.held.decider.tally
    before = dict(tally.results()), {one[:3]: one[3] for one in tally.groups()}
    for flag in ("drawn", "phones-only", "resting"):
        client.flag(flag, {"targetingKey": "v", "plan": "pro", "url": HOME})
    after = dict(tally.results()), {one[:3]: one[3] for one in tally.groups()}
    assert {name: after[0][name] - count for name, count in before[0].items()} == {
        "matched": 1,
        "unmatched": 2,
        "degraded": 0,
    }
    assert [of for of in after[1] if after[1][of] != before[1][of]] == [("drawn", "known", "personalized")]


def test_control_is_a_value(client: Any) -> None:
    """Code that switches sees the same word for everybody in control."""
    found = [client.flag("drawn", {"targetingKey": f"v{number}", "employees": 12}) for number in range(20)]
    assert {(flag["value"], flag["metadata"]["personalized"]) for flag in found} == {("control", False), ("hero", True)}


def test_who_is_held_out_is_nobody(client: Any) -> None:
    """No value and nothing to be counted, as for whoever matches nothing."""
    found = [client.flag("held-back", {"targetingKey": f"v{number}"}) for number in range(20)]
    assert {(flag["reason"], flag.get("value")) for flag in found} == {("SPLIT", "v"), ("DEFAULT", None)}


def test_all_flags_are_those_of_the_page(client: Any) -> None:
    """Also those that nobody matches and those that are over or paused; never one that was not to be seen yet."""
    flags = client.flags({"targetingKey": "v", "url": HOME})
    assert flags.keys() == {"drawn", "several", "held-back", "group-first", "phones-only", "over", "resting"}
    assert client.flags({"targetingKey": "v", "url": "https://else.test/"}) == {}
    assert client.flags({"targetingKey": "v"}).keys() == {*flags, "group-second"}


def test_all_flags_come_with_the_stream_of_changes(client: Any, flags_node: Node) -> None:
    """Below the origin that the client knows; behind a proxy that we trust, in its folder."""
    version = flags_node.held.decider.ruleset.version
    said = client.all({"targetingKey": "v", "url": HOME}, ("x-forwarded-prefix", "/edge")).json
    assert said["metadata"] == {"version": version}
    assert said["eventStreams"] == [{"type": "sse", "endpoint": {"requestUri": f"/ofrep/v1/events?ruleset={version}"}}]


@pytest.mark.parametrize(("prefix", "folder"), [("/edge/", "/edge"), ("", ""), ("//evil.test", ""), ("edge", "")])
def test_a_trusted_proxy_says_in_which_folder_we_are(
    flags_node: Node, calling: Any, client_of: Any, prefix: str, folder: str
) -> None:
    """What is no folder is none."""
    behind = client_of(calling(build(flags_node, trusted_proxies=["192.0.2.1"])))
    [stream] = behind.all({"targetingKey": "v"}, ("x-forwarded-prefix", prefix)).json["eventStreams"]
    assert stream["endpoint"]["requestUri"].startswith(f"{folder}/ofrep/v1/events?")


def test_headers_tell_the_device_of_who_asks_for_all(client: Any) -> None:
    """Who asks for one flag is a program, and its own device says nothing; the context may."""
    context = {"targetingKey": "v", "url": HOME}
    assert client.flags(context, PHONE)["phones-only"]["value"] == "v"
    decisions = client.decisions({"visitorId": "v", "page": {"url": HOME}}, PHONE)
    assert "On phones" in {decision["experience"] for decision in decisions}
    assert "value" not in client.flag("phones-only", context, PHONE)
    assert client.flag("phones-only", {**context, "device.type": "mobile"})["value"] == "v"


def test_what_a_context_says_lies_under_what_is_stored(client: Any, flags_node: Node) -> None:
    """A stored trait counts before one that the context brings."""
    flags_node.store.apply([Change(key("visitor", "stored"), 1, {"employees": 5000})])
    assert "value" not in client.flag("drawn", {"targetingKey": "stored", "employees": 12})
    assert "value" in client.flag("drawn", {"targetingKey": "not-stored", "employees": 12})


def test_an_unknown_flag_is_404(client: Any) -> None:
    """Whatever is asked for; the key comes back."""
    for asked, found in (
        ("nothing", "nothing"),
        ("a/b", "a/b"),
        ("", ""),
        ("a\nb\n", "a\nb\n"),
        ("x" * 500, "x" * 500),
    ):
        said = client.one(asked, {"targetingKey": "v"})
        assert (said.status, said.json["key"], said.json["errorCode"]) == (404, found, "FLAG_NOT_FOUND")


def test_nothing_but_post_is_answered(client: Any) -> None:
    """405 in the protocol's form; the preflight allows what providers send."""
    said = client.call("GET", ALL, [b""])
    assert (said.status, said.json["errorCode"], said.headers["allow"]) == (405, "GENERAL", "POST, OPTIONS")
    asked = [("origin", "https://www.example.com"), ("access-control-request-method", "POST")]
    preflight = client.call("OPTIONS", f"{ALL}/drawn", [b""], asked)
    assert (preflight.status, preflight.headers["access-control-allow-methods"]) == (204, "POST")
    allowed = set(preflight.headers["access-control-allow-headers"].split(", "))
    assert {"authorization", "content-type", "if-none-match", "x-api-key"} <= allowed


def test_the_tag_is_of_the_answer(client: Any, flags_node: Node) -> None:
    """304 as long as the answer is the same; a stored trait, a trait or a page that change it have another tag."""
    context = {"targetingKey": "tagged", "url": HOME}
    first = client.all(context)
    tag = first.headers["etag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}', f"{tag},W/{tag}"):
        again = client.all({**context, "irrelevant": 1}, ("if-none-match", sent))
        assert (again.status, again.headers["etag"]) == (304, tag)
    for changed in ({"plan": "pro"}, {"url": HOME + "pricing"}, {"url": None}):
        said = client.all({**context, **changed}, ("if-none-match", tag))
        assert (said.status, said.headers["etag"] != tag) == (200, True)
    flags_node.store.apply([Change(key("visitor", "tagged"), 1, {"plan": "pro"})])
    stored = client.all(context, ("if-none-match", tag))
    assert (stored.status, stored.headers["etag"] != tag) == (200, True)
    for sent in ("*", "", tag.strip('"'), '"'):
        assert client.all(context, ("if-none-match", sent)).status == 200


def test_the_tag_is_of_the_ruleset_too(
    tmp_path: Path, rules: Path, rules_of: Callable[[object], str], calling: Any, client_of: Any
) -> None:
    """Rules that only show something else have another version, and so another tag."""
    tags = []
    for edition in (1, 2):
        (rules / "site.yaml").write_text(rules_of(edition))
        node = Node(Settings(rules, tmp_path / "data"))
        tags.append(client_of(calling(build(node))).all({"targetingKey": "v"}).headers["etag"])
        node.store.close()
    assert tags[0] != tags[1]


def test_who_was_told_of_these_rules_may_get_304(client: Any, flags_node: Node) -> None:
    """However the version is written."""
    context = {"targetingKey": "v", "url": HOME}
    tag = client.all(context).headers["etag"]
    version = flags_node.held.decider.ruleset.version
    for said in (version, f"%22{version}%22", f"W/%22{version}%22"):
        assert client.all(context, ("if-none-match", tag), query=f"flagConfigEtag={said}".encode()).status == 304


def test_a_degraded_answer_says_so(tmp_path: Path, calling: Any, client_of: Any, flags_node: Node) -> None:
    """What cannot be read of a visitor is left out, and the hook sees it."""
    node = Node(Settings(flags_node.settings.rules, tmp_path / "data"))
    node.store.close()
    client = client_of(calling(build(node)))
    context = {"targetingKey": "v", "url": HOME}
    assert client.flag("drawn", {**context, "plan": "pro"})["metadata"]["degraded"] is True
    assert client.all(context).json["metadata"]["degraded"] is True


def test_while_too_much_is_asked_it_is_429(client: Any, flags_node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Providers pause, and keep what they have; it is counted."""
    shed = flags_node.counts.shed["decide"]
    monkeypatch.setattr(flags_node.load, "sheds", True)
    for said in (client.one("drawn", {"targetingKey": "v"}), client.all({"targetingKey": "v"})):
        assert (said.status, said.json["errorCode"], said.headers["retry-after"]) == (429, "GENERAL", "1")
    assert flags_node.counts.shed["decide"] == shed + 2


def test_a_fault_of_ours_is_general(tmp_path: Path, calling: Any, client_of: Any, flags_node: Node) -> None:
    """500 with the key, and when to come again."""
    node = Node(Settings(flags_node.settings.rules, tmp_path / "data"))
    client = client_of(calling(build(node)))
    node.store.close()
    del node.rules
    said = client.one("drawn", {"targetingKey": "v"})
    assert (said.status, said.json["errorCode"], said.headers["retry-after"]) == (500, "GENERAL", "5")


def test_a_body_that_is_no_json_is_refused_as_everywhere(client: Any) -> None:
    """Type, size and coding: the protocol has one code for them."""
    for body, headers, status in (
        (b"{", (), 400),
        (b" " * 20_000, (), 413),
        (b"{}", (("content-encoding", "gzip"),), 415),
        (b"{}", (("content-type", "text/html"),), 415),
    ):
        said = client.post(f"{ALL}/drawn", body, *headers)
        assert (said.status, said.json["errorCode"]) == (status, "PARSE_ERROR" if status == 400 else "GENERAL")
    assert json.loads(client.post(ALL, b"{}", query=b"a&" * 200).body)["errorCode"] == "TARGETING_KEY_MISSING"
