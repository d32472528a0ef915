"""The way in: both flows against the loopback org, and what is told of those that fail."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from engine import limits
from engine.salesforce.access import Access
from engine.salesforce.login import connect
from engine.salesforce.session import Session
from engine.salesforce.trouble import NotLetIn, Odd, Unreachable


@pytest.fixture
def session(slept: list[float]) -> Any:
    """It never really waits."""
    with Session(slept.append) as made:
        yield made


def test_client_credentials(org: Any, orgs: Any, session: Session) -> None:
    """On the org's own domain."""
    assert connect(Access("acme", orgs.ID, orgs.SECRET), session).sf_instance == orgs.HOST
    assert org.asked == ["POST /services/oauth2/token"]


def pem(kind: str = "open") -> str:
    """A key: `open`, `locked`, `public`, or of another kind."""
    made = rsa.generate_private_key(65537, 2048) if kind != "other" else ec.generate_private_key(ec.SECP256R1())
    if kind == "public":
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return made.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
    lock = serialization.BestAvailableEncryption(b"x") if kind == "locked" else serialization.NoEncryption()
    return made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock).decode()


@pytest.mark.parametrize(
    ("domain", "door"),
    [("login", "login"), ("acme", "login"), ("acme--uat.sandbox", "test")],
)
def test_a_private_key(org: Any, orgs: Any, session: Session, domain: str, door: str) -> None:
    """JWT bearer: for the common door, brought to the org's own host; it counts more than a secret."""
    org.door = f"https://{door}.salesforce.com"
    access = Access(domain, orgs.ID, "secret", username="ada@acme.com", private_key=pem())
    assert connect(access, session).sf_instance == orgs.HOST


def test_a_token_for_another_door(org: Any, orgs: Any, session: Session) -> None:
    """Salesforce says so."""
    org.door = "https://test.salesforce.com"
    with pytest.raises(NotLetIn, match="audience is invalid"):
        connect(Access("acme", orgs.ID, username="ada@acme.com", private_key=pem()), session)


@pytest.mark.parametrize(
    ("kind", "said"),
    [("locked", "it is locked by a passphrase"), ("public", "this is a public key"), ("other", "of another kind")],
)
def test_keys_that_are_none(org: Any, session: Session, kind: str, said: str) -> None:
    """Told as what they are."""
    with pytest.raises(NotLetIn, match=said):
        connect(Access("acme", "id", username="u", private_key=pem(kind)), session)


@pytest.mark.parametrize("body", [b'{"access_token": "x"}', b"{}", b"[1]", b"null"])
def test_an_answer_that_is_no_token(org: Any, orgs: Any, session: Session, body: bytes) -> None:
    """A success that says nothing."""
    org.trouble = [("token", body)]
    with pytest.raises(Odd, match="an answer is not what Salesforce was asked for"):
        connect(Access("acme", orgs.ID, orgs.SECRET), session)


def test_trouble_at_the_door(org: Any, orgs: Any, session: Session) -> None:
    """It says nothing of who we are."""
    org.trouble = [("token", (500, "UNKNOWN"))] * limits.SALESFORCE_TRIES
    with pytest.raises(Unreachable, match="trouble of its own"):
        connect(Access("acme", orgs.ID, orgs.SECRET), session)


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (Access("acme", "client-id", "wrong"), "invalid_client: invalid client credentials; check the client id"),
        (Access("acme", "client-id"), "MUTINY_EDGE_SALESFORCE_CLIENT_SECRET not set"),
        (Access("acme", "client-id", username="u", private_key="no key"), "the private key cannot be used"),
    ],
)
def test_who_is_not_let_in(org: Any, session: Session, access: Access, said: str) -> None:
    """What is wrong, and what to look at; no secret is in it."""
    with pytest.raises(NotLetIn) as refused:
        connect(access, session)
    assert said in str(refused.value)
    assert "wrong" not in str(refused.value)
    assert "no key" not in str(refused.value)
