"""The way in, by OAuth: a client of `simple-salesforce` that Salesforce has let in.

1. There is no telling when a token ends: it is renewed when Salesforce says `INVALID_SESSION_ID`.
2. Numbers are read as decimal ones, so that a number of REST is the number that Bulk prints.
"""

import warnings
from decimal import Decimal

from jwt.exceptions import PyJWTError
from simple_salesforce.api import Salesforce

from engine.salesforce.access import Access, domain, missing
from engine.salesforce.answers import told
from engine.salesforce.session import Session
from engine.salesforce.trouble import NotLetIn


def connect(access: Access, session: Session) -> Salesforce:
    """A client that is let in. Raises NotLetIn, Unreachable."""
    said = missing(access)
    if said:
        raise NotLetIn(said)
    with told(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # simple-salesforce warns beside what it raises
        try:
            return Salesforce(
                session=session,
                domain=domain(access.domain),
                consumer_key=access.client_id,
                consumer_secret=access.client_secret or None,
                username=access.username or None,
                privatekey=access.private_key or None,
                parse_float=Decimal,
                object_pairs_hook=dict,
            )
        except (ValueError, PyJWTError) as error:  # of whatever reads keys; it may repeat a part of one
            if not access.private_key:
                raise
            do = "it has to be an RSA key in PEM, whose certificate the app knows"
            raise NotLetIn(f"the private key cannot be used ({type(error).__name__}); {do}") from None
