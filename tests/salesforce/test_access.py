"""Who we are: what is missing is named, the domain may be written in several ways."""

import pytest

from engine.salesforce.access import Access, domain, missing


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("acme", "acme.my"),
        ("acme.my", "acme.my"),
        ("Acme.my.salesforce.com", "acme.my"),
        (" https://acme--uat.sandbox.my.salesforce.com/ ", "acme--uat.sandbox.my"),
        ("login", "login"),
        ("https://test.salesforce.com", "test"),
    ],
)
def test_a_domain_however_it_is_written(written: str, meant: str) -> None:
    """With or without scheme, `my` and what all have in common."""
    assert domain(written) == meant


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
