"""Who we are for Salesforce: an external client app. Pure.

1. Two flows, both without a person: *client credentials* (client id and secret, on the org's own domain), and *JWT
   bearer* (client id, user name and a private key whose certificate the app knows).
2. Secrets come as values; they are in no message.
"""

from typing import Final

from msgspec import Struct

PREFIX: Final = "MUTINY_EDGE_SALESFORCE_"
_SUFFIX: Final = ".salesforce.com"
_LOGIN: Final = frozenset({"login", "test"})


class Access(Struct, frozen=True):
    """What Salesforce knows us by; an empty text is one that was not given."""

    domain: str = ""
    client_id: str = ""
    client_secret: str = ""
    username: str = ""
    private_key: str = ""


def missing(access: Access) -> str:
    """What has to be set before anything can be asked; nothing where all is there."""
    names = [name for name in ("domain", "client_id") if not getattr(access, name)]
    if access.username or access.private_key:
        names += [name for name in ("username", "private_key") if not getattr(access, name)]
    elif not access.client_secret:
        names.append("client_secret")
    if not access.private_key and not names and domain(access.domain) in _LOGIN:
        return "with a client secret the domain has to be the org's own, such as acme.my.salesforce.com; set that"
    if not names:
        return ""
    listed = ", ".join(f"{PREFIX}{name.upper()}{'_FILE' * (name == 'private_key')}" for name in names)
    do = "`mutiny-edge salesforce sync --help` says what each is"
    return f"Salesforce's external client app is not known here: {listed} not set; {do}"


def domain(written: str) -> str:
    """`acme.my` of `acme`, `acme.my.salesforce.com` or `https://acme.my.salesforce.com/`."""
    host = written.strip().lower().removeprefix("https://").rstrip("/").removesuffix(_SUFFIX)
    return host if "." in host or host in _LOGIN else f"{host}.my"
