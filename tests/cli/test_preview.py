"""`mutiny-edge preview`: a link that the service understands, or what would be right."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.cli.preview import link
from engine.node import utc_now
from engine.web.preview import Ticket, checked, key_made

RULES = """\
segments:
  a: {name: A, when: has(traits.a)}
  b: {name: B, when: has(traits.b)}
experiences:
  site:
    name: Site
    status: draft
    pages: ["https://www.example.com/", "/pricing/**"]
    audiences:
      - segment: a
        variants:
          - {key: hero, changes: [{selector: h1, text: A}]}
          - {key: bold, changes: [{selector: h1, remove: true}]}
      - {segment: b, variants: [{key: hero, changes: [{selector: h1, text: B}]}]}
"""


@pytest.fixture
def preview(run, tmp_path):
    """`preview("site", "--variant", "bold")` with two segments."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "site.yaml").write_text(RULES)
    return lambda *words: run("preview", *words)


def ticket(tmp_path, printed: str) -> Ticket:
    """What the service reads in the printed link."""
    token = printed.strip().partition("mutiny_preview=")[2].partition("#")[0]
    return checked(token, key_made(tmp_path / "data"), utc_now())


def test_the_link_alone_is_printed(preview, tmp_path):
    """A page of the experience with a token that works for a week."""
    done = preview("site", "--variant", "bold")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("https://www.example.com/?mutiny_preview=")
    found = ticket(tmp_path, done.stdout)
    assert (found.experience, found.segment, found.variant) == ("site", "a", "bold")
    ends = datetime.fromtimestamp(found.ends_s, UTC)
    assert timedelta(days=6) < ends - utc_now() <= timedelta(days=7)


def test_the_only_variant_need_not_be_named(preview, tmp_path):
    """Also where several segments have it: then only whose."""
    bold = RULES.index("          - {key: bold")
    (tmp_path / "rules" / "site.yaml").write_text(RULES[:bold] + RULES[RULES.index("      - {segment: b") :])
    found = ticket(tmp_path, preview("site", "--segment", "b").stdout)
    assert (found.segment, found.variant) == ("b", "hero")


def test_another_page_another_time_another_segment(preview, tmp_path):
    """As asked for; the page's own query stays."""
    words = ("--segment", "b", "--url", "https://staging.example.com/pricing/x?a=1#top", "--days", "1")
    done = preview("site", "--variant", "hero", *words)
    assert done.stdout.startswith("https://staging.example.com/pricing/x?a=1&mutiny_preview=")
    assert done.stdout.endswith("#top\n")
    assert ticket(tmp_path, done.stdout).segment == "b"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sit", "--variant", "hero"), "there is no experience `sit`: did you mean `site`?"),
        (("site", "--variant", "her"), "`site` has no variant `her`: did you mean `hero`?"),
        (("site",), "which variant of `site` is it? there are hero, bold; say which with --variant"),
        (("site", "--variant", "x"), "`site` has no variant `x`: there are hero, bold"),
        (("site", "--variant", "hero"), "`hero` is a variant of a and b: say whose with --segment"),
        (("site", "--variant", "bold", "--segment", "b"), "segment `b` has no variant `bold`; a has"),
        (("site", "--variant", "bold", "--url", "example"), "--url example: expected it as browsers show it"),
        (("site", "--variant", "bold", "--days", "0"), "Expected a whole number from 1 to 365"),
    ],
)
def test_what_would_be_right(preview, tmp_path, words, told):
    """Exit code 2, one line, and no key is made for nothing."""
    done = preview(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert not (tmp_path / "data").exists()


def test_no_website_is_made_up(preview, tmp_path):
    """Where no rule names a host, it is asked for; one that another experience names is taken."""
    hostless = RULES.replace('"https://www.example.com/", ', "")
    (tmp_path / "rules" / "site.yaml").write_text(hostless)
    done = preview("site", "--variant", "bold")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the pages of `site` name no website: say where it is to be seen, with --url" in done.stderr
    assert not (tmp_path / "data").exists()
    assert preview("site", "--variant", "bold", "--url", "https://a.example/pricing").returncode == 0
    other = "  other: {name: Other, status: draft, pages: [https://shop.example/], audiences: [{segment: b, "
    other += "variants: [{key: o, changes: [{selector: h1, text: O}]}]}]}\n"
    (tmp_path / "rules" / "site.yaml").write_text(hostless + other)
    assert preview("site", "--variant", "bold").stdout.startswith("https://shop.example/pricing")


def test_broken_rules(preview, tmp_path):
    """What is wrong, and where."""
    (tmp_path / "rules" / "site.yaml").write_text("experiences: {site: {}}\n")
    done = preview("site", "--variant", "hero")
    assert done.returncode == 2
    assert "rules/site.yaml:1:" in done.stderr


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("https://example.com", "https://example.com/?mutiny_preview=T"),
        ("https://example.com/a?b#c", "https://example.com/a?b&mutiny_preview=T#c"),
        ("/pricing", "/pricing?mutiny_preview=T"),
    ],
)
def test_where_the_token_stands(page, shown):
    """In the query, behind what is there, in front of the fragment."""
    assert link(page, "T") == shown
