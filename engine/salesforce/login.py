"""The way in, by OAuth: a client of `simple-salesforce` that Salesforce has let in.

1. There is no telling when a token ends: it is renewed when Salesforce says `INVALID_SESSION_ID`.
2. A JWT is *for* one of Salesforce's two common doors, and *brought* to the org's own: `domain` is the first for
   `simple-salesforce`, `instance_url` the second.
3. A private key is looked at here first: what is no open RSA key is told as what it is.
4. Numbers are read as decimal ones, so that a number of REST is the number that Bulk prints.
"""

import warnings
from decimal import Decimal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from simple_salesforce.api import Salesforce

from engine.salesforce.access import Access, audience, domain, missing
from engine.salesforce.answers import told
from engine.salesforce.session import Session
from engine.salesforce.trouble import NotLetIn


def connect(access: Access, session: Session) -> Salesforce:
    """A client that is let in. Raises NotLetIn, Unreachable."""
    said = missing(access)
    if said:
        raise NotLetIn(said)
    host = domain(access.domain)
    if access.private_key:
        _look_at(access.private_key)
    with told(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # simple-salesforce warns beside what it raises
        return Salesforce(
            session=session,
            domain=audience(access.domain) if access.private_key else host,
            instance_url=host if access.private_key else None,
            consumer_key=access.client_id,
            consumer_secret=None if access.private_key else access.client_secret,
            username=access.username or None,
            privatekey=access.private_key or None,
            parse_float=Decimal,
            object_pairs_hook=dict,
        )


def _look_at(pem: str) -> None:
    """It is an RSA key that can be used. Raises NotLetIn, without a part of it."""
    try:
        is_one = isinstance(load_pem_private_key(pem.encode(), None), RSAPrivateKey)
        what = "it is of another kind"
    except TypeError:
        is_one, what = False, "it is locked by a passphrase"
    except (ValueError, UnsupportedAlgorithm):
        is_one, what = False, "this is a public key" if "PUBLIC KEY" in pem else "this is none"
    if not is_one:
        do = "it has to be an open RSA key in PEM (BEGIN PRIVATE KEY), whose certificate the app knows"
        raise NotLetIn(f"the private key cannot be used: {what}; {do}")
