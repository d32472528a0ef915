"""Who we are: what is missing is named, the domain may be written in several ways."""

import pytest

from engine.salesforce.access import Access, audience, domain, missing


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("acme", "acme.my"),
        ("acme.my", "acme.my"),
        ("Acme.my.salesforce.com", "acme.my"),
        (" https://acme--uat.sandbox.my.salesforce.com/ ", "acme--uat.sandbox.my"),
        ("login", "login"),
        ("https://test.salesforce.com", "test"),
        ("https://acme.lightning.force.com/lightning/setup/SetupOneHome/home", "acme.my"),
        ("acme--uat.sandbox.lightning.force.com", "acme--uat.sandbox.my"),
        ("acme.my.salesforce-setup.com", "acme.my"),
        ("acme.my.salesforce.com/path?x", "acme.my"),
        ("acme-dev-ed.develop", "acme-dev-ed.develop.my"),
        ("x.my.pc-rnd.salesforce.com", "x.my.pc-rnd"),
        ("ac me", ""),
        ("acme.my.salesforce.com:443", ""),
        ("acme.example.com", ""),
        ("acme.my.site.com", ""),
        ("ada@acme.my.salesforce.com", ""),
    ],
)
def test_a_domain_however_it_is_written(written: str, meant: str) -> None:
    """With or without scheme, `my` and what all have in common, as it stands in a browser; other hosts are none."""
    assert domain(written) == meant


@pytest.mark.parametrize("written", ["ac me", "acme.my.salesforce.com:443", "https://acme.example.com/x"])
def test_a_domain_that_is_none(written: str) -> None:
    """Told with what was given, and what would be right; nothing is asked of it."""
    said = missing(Access(written, "id", "secret"))
    assert "is no host of Salesforce; it has to be the org's My Domain, such as acme.my.salesforce.com" in said
    assert said.startswith("MUTINY_EDGE_SALESFORCE_DOMAIN: `")


@pytest.mark.parametrize(
    ("written", "door"),
    [
        ("acme", "login"), ("login", "login"), ("acme-dev-ed.develop", "login"), ("test", "test"),
        ("acme--uat.sandbox", "test"), ("acme--uat.my.salesforce.com", "test"), ("x.scratch.my", "test"),
    ],
)  # fmt: skip
def test_for_which_door_a_token_is(written: str, door: str) -> None:
    """That of sandboxes, or that of all others; never the org's own host."""
    assert audience(written) == door


@pytest.mark.parametrize(
    ("access", "named"),
    [
        (Access(), ["DOMAIN", "CLIENT_ID", "CLIENT_SECRET"]),
        (Access("acme", "id"), ["CLIENT_SECRET"]),
        (Access("acme", "id", username="u"), ["PRIVATE_KEY_FILE"]),
        (Access("acme", "id", private_key="k"), ["USERNAME"]),
    ],
)
def test_everything_that_is_missing_is_named_at_once(access: Access, named: list[str]) -> None:
    """By the names of the environment, with where they are explained."""
    listed = ", ".join(f"MUTINY_EDGE_SALESFORCE_{name}" for name in named)
    assert f": {listed} not set; `mutiny-edge salesforce sync --help`" in missing(access)


def test_a_secret_needs_the_domain_of_the_org() -> None:
    """Salesforce's common door does not know the client credentials flow; with a key it is open."""
    assert "the org's own" in missing(Access("login", "id", "secret"))
    assert missing(Access("login", "id", username="u", private_key="k")) == ""
    assert missing(Access("acme", "id", "secret")) == ""
