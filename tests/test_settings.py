"""One table of settings: every option of every verb that is a variable too stands in it, and is read in one way."""

from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cli.main import VERBS, main
from engine.settings import FIELDS, NAMED, SETTINGS, SettingError, Settings, masked, read, strangers, written


def options_of(verb: str) -> list[click.Option]:
    """The options of a verb and of what stands below it."""
    command = main.get_command(click.Context(main), verb)
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [p for each in (command, *below) for p in each.params if isinstance(p, click.Option) and p.envvar]


def test_every_option_that_is_a_variable_stands_in_the_table() -> None:
    """With the same name, default and help; and what is for `serve` alone, no other verb but `config` takes."""
    lines = {line.variable: line for line in SETTINGS}
    for verb in VERBS:
        for option in options_of(verb):
            line = lines[str(option.envvar)]
            assert (option.opts, option.help) == ([line.option], line.help), verb
            assert line.verbs != "serve" or verb in {"serve", "config"}, (verb, line.name)


def test_the_defaults_of_a_node_are_those_of_the_table() -> None:
    """What stands in the table is what a node gets that is told nothing."""
    defaults = {name: NAMED[name].default for name in FIELDS}
    told = {field: read(NAMED[name], defaults[name]) for name, field in FIELDS.items() if defaults[name] is not None}
    assert Settings(**told) == Settings()


def test_a_default_says_its_unit() -> None:
    """Help shows nothing else of it: a bare 20 would be seconds to one reader and milliseconds to the next."""
    units = {line.name: (line.default or "").strip("0123456789.") for line in SETTINGS if line.unit}
    assert units == {"read-budget": "ms", "drain": "s"}


def test_settings_come_from_the_environment() -> None:
    """One variable a setting; what is not set or empty is the default."""
    given = {
        "MUTINY_EDGE_RULES": "/etc/rules",
        "MUTINY_EDGE_DATA": "",
        "MUTINY_EDGE_STORE": "redis://cache",
        "MUTINY_EDGE_STORE_TTL": "90d",
        "MUTINY_EDGE_NEAR_CACHE": "1GiB",
        "MUTINY_EDGE_WEBHOOK_BATCHES": "yes",
    }
    expected = Settings(
        Path("/etc/rules"), Path("data"), "redis://cache", True, store_ttl_s=90 * 86_400, near_bytes=2**30
    )
    assert Settings.from_environment(given) == expected
    assert Settings.from_environment({}) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("store-ttl", "90", "a length of time with its unit (s, m, h, d) such as 90d, got '90'"),
        ("store-ttl", "0d", "a length of time with its unit"),
        ("store-ttl", "0.5s", "a length of time with its unit"),
        ("near-cache", "64MB", "(KiB, MiB, GiB) such as 64MiB, got '64MB'"),
        ("read-budget", "0", "a length of time from 1 to 1000 whole ms, such as 20ms, got '0'"),
        ("read-budget", "20.5 ms", "from 1 to 1000 whole ms, such as 20ms, got '20.5 ms'"),
        ("read-budget", "fast", "a length of time from 1 to 1000 whole ms, such as 20ms, got 'fast'"),
        ("webhook-batches", "maybe", "true or false, got 'maybe'"),
    ],
)
def test_a_wrong_variable_is_named(name: str, text: str, expected: str) -> None:
    """With what would be right."""
    line = NAMED[name]
    with pytest.raises(SettingError) as wrong:
        Settings.from_environment({line.variable: text})
    assert str(wrong.value).startswith(f"{line.variable}: Expected ")
    assert expected in str(wrong.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        *[("read-budget", text, 20) for text in ("20", "20ms", "20 ms", "0.02s")],
        *[("drain", text, 150) for text in ("150", "150s", "150 s", "2.5m", "150000ms")],
        *[("store-ttl", text, 90 * 86_400) for text in ("90d", "90 d", "2160h", "7776000.0 s")],
        ("drain", "2.5", 2.5),
    ],
)
def test_a_length_of_time_is_written_in_one_way(name: str, text: str, value: float) -> None:
    """With its unit, with a blank before it or not; without one where the setting has a unit; as it is shown, too."""
    line = NAMED[name]
    assert read(line, text) == value
    assert read(line, f"{written(line, value)} {line.unit}".strip()) == value


@pytest.mark.parametrize("host", ["127.0.0.1", "::", "fe80::1%eth0", "localhost", "edge.internal"])
def test_a_host_is_an_address_or_a_name(host: str) -> None:
    """It is taken as it is."""
    assert read(NAMED["host"], host) == host


@pytest.mark.parametrize("host", ["0.0.0.0:8080", "http://127.0.0.1", "[::1]", "[::1]:80", "localhost:80", "a b", "h/"])
def test_a_host_has_no_port_and_no_scheme(host: str) -> None:
    """Either would be looked up as part of a name."""
    with pytest.raises(SettingError, match="an address or a name alone"):
        read(NAMED["host"], host)


@settings(max_examples=50)
@given(name=st.sampled_from(["store-ttl", "near-cache"]), number=st.integers(1, 10**9), data=st.data())
def test_what_is_written_reads_the_same(name: str, number: int, data: st.DataObject) -> None:
    """A length of time and an amount of memory, whatever unit they were given in."""
    unit = data.draw(st.sampled_from({"store-ttl": "s m h d", "near-cache": "KiB MiB GiB"}[name].split()))
    value = read(NAMED[name], f"{number}{unit}")
    assert read(NAMED[name], written(NAMED[name], value)) == value


def test_what_people_read_is_short() -> None:
    """The largest unit that says it exactly; a list by commas."""
    assert written(NAMED["store-ttl"], 90 * 86_400) == "90d"
    assert written(NAMED["near-cache"], 1536 * 2**20) == "1536MiB"
    assert (
        written(NAMED["origins"], ("https://a.example", "https://b.example")) == "https://a.example,https://b.example"
    )
    assert (written(NAMED["webhook-batches"], False), written(NAMED["drain"], 2.5)) == ("false", "2.5")
    assert written(NAMED["store"], None) == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://:p@h", "redis://:***@h"),
        ("redis://token@h", "***@h"),
        ("redis://u:p@ss:w@h/1", "redis://u:***@h/1"),
        ("redis://u:a@h1,rediss://v:b@h2", "redis://u:***@h1,rediss://v:***@h2"),
        ("redis+sentinel://u:p@h1:26379,h2:26379/service/0", "redis+sentinel://u:***@h1:26379,h2:26379/service/0"),
        ("redis://h/0?password=p&db=1&sentinel_password=q", "redis://h/0?password=***&db=1&sentinel_password=***"),
        ("redis//:p@h", "***@h"),
        ("rediss:/:p@h", "***@h"),
        ("redis://u:a://b@h", "***@h"),
        ("redis://u:a?b@h", "***"),
        ("http://u:p@h/?x=1", "***@h/?x=1"),
        ("data", "data"),
    ],
)
def test_urls_are_shown_without_what_logs_in(url: str, shown: str) -> None:
    """The user's name stays where a password follows it."""
    assert masked(url) == shown


def test_a_variable_that_is_empty_is_not_set() -> None:
    """Nor is one that nobody knows."""
    assert strangers({"MUTINY_EDGE_PROT": "", "MUTINY_EDGE_WORKER": ""}) == []


def test_a_far_name_is_no_hint() -> None:
    """That both are ours makes no two names alike."""
    assert [str(one) for one in strangers({"MUTINY_EDGE_X": "1", "MUTINY_EDGE_WORKER": "2"})] == [
        "MUTINY_EDGE_WORKER is set, and no setting has this name; did you mean `MUTINY_EDGE_WORKERS`?",
        "MUTINY_EDGE_X is set, and no setting has this name",
    ]
