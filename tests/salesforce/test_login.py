"""The way in: both flows against the loopback org, and what is told of those that fail."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from engine.salesforce.access import Access
from engine.salesforce.login import connect
from engine.salesforce.session import Session
from engine.salesforce.trouble import NotLetIn


@pytest.fixture
def session(slept: list[float]) -> Any:
    """It never really waits."""
    with Session(slept.append) as made:
        yield made


def test_client_credentials(org: Any, orgs: Any, session: Session) -> None:
    """On the org's own domain."""
    assert connect(Access("acme", orgs.ID, orgs.SECRET), session).sf_instance == orgs.HOST
    assert org.asked == ["POST /services/oauth2/token"]


def test_a_private_key(org: Any, orgs: Any, session: Session) -> None:
    """JWT bearer, also at the common door."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    access = Access("login", orgs.ID, username="ada@acme.com", private_key=pem)
    assert connect(access, session).sf_instance == orgs.HOST


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
