"""Who we are for Salesforce: an external client app. Pure.

1. Two flows, both without a person: *client credentials* (client id and secret, on the org's own domain), and *JWT
   bearer* (client id, user name and a private key whose certificate the app knows).
2. Secrets come as values; they are in no message. A private key counts more than a secret.
3. The domain is the org's own, however people copy it: its name, its host, the address of a page of it.
"""

from typing import Final

import re2
from msgspec import Struct

PREFIX: Final = "MUTINY_EDGE_SALESFORCE_"
_LOGIN: Final = frozenset({"login", "test"})
_KINDS: Final = "sandbox|develop|scratch|demo|patch|trailblaze|free"  # of orgs that are no production ones
_NAME: Final = rf"([a-z0-9][a-z0-9-]*(?:\.(?:{_KINDS}))?)"
_OWN: Final = re2.compile(
    _NAME + r"(?:\.my)?(?:\.salesforce(?:-setup)?\.com)?|" + _NAME + r"\.lightning\.force\.com"
)  # what admins copy: bare, as a host, of Setup, of a page
_OTHER: Final = re2.compile(r"((?:[a-z0-9][a-z0-9-]*\.)+[a-z0-9-]+)\.salesforce\.com")


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
    if not names:
        return _misplaced(access)
    listed = ", ".join(f"{PREFIX}{name.upper()}{'_FILE' * (name == 'private_key')}" for name in names)
    do = "`mutiny-edge salesforce sync --help` says what each is"
    return f"Salesforce's external client app is not known here: {listed} not set; {do}"


def _misplaced(access: Access) -> str:
    """What is wrong with the domain; nothing where it may be one."""
    found, right = domain(access.domain), "acme.my.salesforce.com"
    if not found:
        do = f"it has to be the org's My Domain, such as {right} (Setup, My Domain)"
        return f"{PREFIX}DOMAIN: `{_host(access.domain)[:80]}` is no host of Salesforce; {do}"
    if not access.private_key and found in _LOGIN:
        return f"{PREFIX}DOMAIN: with a client secret it has to be the org's own, such as {right}; set that"
    return ""


def domain(written: str) -> str:
    """`acme.my` of `acme`, `acme.my.salesforce.com` or `https://acme.lightning.force.com/…`; nothing of other hosts."""
    host = _host(written)
    if (name := host.removesuffix(".salesforce.com")) in _LOGIN:
        return name
    own, other = _OWN.fullmatch(host), _OTHER.fullmatch(host)
    return f"{own[1] or own[2]}.my" if own else other[1] if other else ""


def audience(written: str) -> str:
    """The door of Salesforce that a JWT is for, `login` or `test`: that of sandboxes and scratch orgs."""
    found = domain(written)
    kinds = found.split(".")
    return "test" if found == "test" or "--" in found or "sandbox" in kinds or "scratch" in kinds else "login"


def _host(written: str) -> str:
    """What may be a host in what may be an address."""
    text = written.strip().lower().removeprefix("https://").removeprefix("http://")
    return text.partition("/")[0].partition("?")[0].partition("#")[0]
