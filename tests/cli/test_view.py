"""The options of a page view become the request that a page would send."""

import json

import click
import pytest
from click.testing import CliRunner

from engine.cli import view


def asked(*arguments, required=True):
    """What a command with these options was given."""
    seen = {}

    @click.command()
    @view.of(required=required)
    def command(**given):
        seen.update(given)

    done = CliRunner().invoke(command, arguments)
    return done, seen


def test_options_become_a_body():
    """Each option stands where the wire has it; what is left out is null, which is absent."""
    arguments = "--visitor a --url https://x.example/ --title T --count 3 --device mobile --language de --country AT"
    done, given = asked(*arguments.split(), "--traits", '{"a": 1}')
    assert done.exit_code == 0
    assert json.loads(view.body(given)) == {
        "visitorId": "a",
        "page": {"url": "https://x.example/", "referrer": "", "title": "T"},
        "visit": {"count": 3},
        "device": {"type": "mobile", "language": "de"},
        "traits": {"a": 1},
    }
    assert view.headers(given["country"]) == {b"x-geo-country": b"AT"}
    assert view.headers(None) == {}


@pytest.mark.parametrize("traits", ["[1]", "{", "1", ""])
def test_traits_are_an_object(traits):
    """Anything else is a usage error that shows it."""
    done, _ = asked("--visitor", "a", "--url", "u", "--traits", traits)
    assert done.exit_code == 2
    assert "Expected a JSON object" in done.output


@pytest.mark.parametrize(
    ("traits", "why"),
    [
        ('{"a": {"b": [1, -Infinity]}}', "a.b[1]: expected a number, got NaN or infinity."),
        ('{"a": 1e999}', "a: expected a number, got NaN or infinity."),
        ('{"a": ' + "9" * 400 + "}", "a: the number is too large."),
        ('{"a": ' + "[" * 40 + "]" * 40 + "}", "nested deeper than"),
        ("[" * 100_000, "Expected a JSON object"),
    ],
)
def test_values_that_no_trait_has(traits, why):
    """Told of the option; no page could send them, or the service would refuse them."""
    done, _ = asked("--visitor", "a", "--url", "u", "--traits", traits)
    assert (done.exit_code, "'--traits': " in done.output) == (2, True)
    assert why in " ".join(done.output.split())


def test_visitor_and_url_may_be_left_out_where_that_is_allowed():
    """A verb with another way to name them asks for neither."""
    assert asked()[0].exit_code == 2
    assert asked(required=False)[0].exit_code == 0
