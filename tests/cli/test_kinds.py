"""What options take, and what people are told who give something else."""

import click
import pytest

from engine.cli.kinds import Origins, ProxyList, Whole, Written
from engine.settings import NAMED


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("*", ("*",)),
        ("", ()),
        ("https://www.example.com", ("https://www.example.com",)),
        (" HTTPS://A.Example/ , http://b.example:8080", ("https://a.example", "http://b.example:8080")),
        ("https://a.example:443,http://a.example:80", ("https://a.example", "http://a.example")),
        ("http://[::1]:3000,capacitor://localhost", ("http://[::1]:3000", "capacitor://localhost")),
    ],
)
def test_origins_are_taken_as_browsers_write_them(given: str, taken: tuple[str, ...]) -> None:
    """Lower case, without a slash and without the scheme's own port."""
    assert Origins().convert(given, None, None) == taken


@pytest.mark.parametrize(
    "given",
    [
        "foo",
        "www.example.com",
        "https://",
        "https://a.example/path",
        "https://*.example.com",
        "null",
        "https://a b",
        "//a",
    ],
)
def test_what_is_no_origin_is_told(given: str) -> None:
    """It would match no page, and nobody would know why."""
    with pytest.raises(click.BadParameter, match="such as https:") as told:
        Origins().convert(f"https://ok.example,{given}", None, None)
    assert repr(given) in told.value.message


def test_proxies_are_addresses_and_networks() -> None:
    """Or `*`; whatever else is named."""
    assert ProxyList().convert("10.0.0.0/8, ::1,*", None, None) == ("10.0.0.0/8", "::1", "*")
    with pytest.raises(click.BadParameter, match="'foo'"):
        ProxyList().convert("10.0.0.1,foo", None, None)


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        (Whole(0, 65535), "abc", "Expected a whole number from 0 to 65535, got 'abc'."),
        (Whole(0, 65535), "70000", "Expected a whole number from 0 to 65535, got '70000'."),
        (Whole(1), "0", "Expected a whole number of at least 1, got '0'."),
        (Whole(8, 1_000_000), "1.5", "Expected a whole number from 8 to 1000000, got '1.5'."),
        (Written(NAMED["drain"]), "soon", "Expected a length of time from 0 to 3600 s, such as 10s, got 'soon'."),
        (Written(NAMED["drain"]), "nan", "Expected a length of time from 0 to 3600 s, such as 10s, got 'nan'."),
        (Written(NAMED["drain"]), "61m", "Expected a length of time from 0 to 3600 s, such as 10s, got '61m'."),
    ],
)
def test_numbers_say_their_bounds(kind: Whole | Written, given: str, told: str) -> None:
    """Whether it is no number or one out of bounds."""
    with pytest.raises(click.BadParameter) as wrong:
        kind.convert(given, None, None)
    assert wrong.value.message == told


def test_good_numbers_are_taken() -> None:
    """At the bounds too."""
    assert Whole(0, 65535).convert("65535", None, None) == 65535
    assert Written(NAMED["drain"]).convert("0.5", None, None) == 0.5
