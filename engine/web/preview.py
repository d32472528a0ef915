"""Preview links: whoever has one sees a variant on its page, also of an experience that is not live yet.

What lives here: the signed ticket in such a link, its key, the answer to it. What may not: who gets a link
(`cli/preview.py` makes them), the badge (`preview.js`).

1. A ticket names experience, segment, variant and when it ends. It is signed by HMAC-SHA256 with a key that lies in the
   data folder, made when the first link is, its owner's alone; who deletes the key ends all links.
2. The answer has the form of a decision, without a draw and without `track`: what is only looked at is not counted.
   It says `preview` and when that ends. Nothing is matched but the page: a link for one page changes no other.
3. Slots are filled with what is known of the visitor who asks, as in a decision. A link opens nobody's profile.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from engine.decide.decider import Decider
from engine.decide.render import Roots, personalized
from engine.node import Node, utc_now
from engine.profiles.store import Reads
from engine.rules.notation import patterns
from engine.segment.ledger import Ledger, alone
from engine.web.ask import Asked
from engine.web.refusal import Refused
from engine.words import Experience, Profile, Ruleset, Variant, Visit

PARAMETER: Final = "mutiny_preview"
KEY_FILE: Final = "preview.key"
_LOCK_FILE: Final = "preview.lock"
_KEY_BYTES: Final = 32
_TICKET_CHARS: Final = 8_000  # three keys of at most 128 characters, escaped and in Base64, and the signature


class Ticket(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a preview link is for; `ends_s` in seconds since 1970."""

    experience: str
    segment: str
    variant: str
    ends_s: int


def key_made(data: Path) -> bytes:
    """The key of this data folder, made if there is none. Raises OSError."""
    data.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(data / KEY_FILE)
    with alone(data / _LOCK_FILE):
        key = ledger.read()
        if not key:
            key = secrets.token_hex(_KEY_BYTES).encode()
            ledger.write(key)
    return key


def signed(ticket: Ticket, key: bytes) -> str:
    """The ticket as it stands in a link."""
    said = _base64(msgspec.json.encode(ticket))
    return f"{said}.{_base64(_signature(said, key))}"


def checked(token: str, key: bytes | None, now: datetime) -> Ticket:
    """The ticket behind a token. Raises `Refused`: it is none of ours, or it has ended."""
    said, _, shown = token.partition(".")
    expected = _base64(_signature(said, key)) if key and len(token) <= _TICKET_CHARS else ""
    if not expected or not hmac.compare_digest(expected.encode(), shown.encode(errors="replace")):
        raise Refused("bad-preview", "The link was not made here, or its key is gone; ask for a new one.")
    ticket = msgspec.json.decode(urlsafe_b64decode(said + "=" * (-len(said) % 4)), type=Ticket)
    if ticket.ends_s <= now.timestamp():
        raise Refused("preview-expired", f"The link ended at {_moment(ticket)}; ask for a new one.")
    return ticket


def answer(asked: Asked, visit: Visit, node: Node, store: Reads | None = None) -> bytes:
    """What the link in `asked` shows on its page, as JSON. Raises `Refused`, `NotAUrl`, NotAtOnce."""
    now = utc_now()
    ticket = checked(asked.preview or "", _key(node.settings.data), now)
    decider = node.held.decider
    profile = node.profile(asked.visitor_id, asked.traits, store)
    roots, _ = decider.roots(profile, asked.page, visit, now)
    experience, variant = _found(decider.ruleset, ticket)
    on_page = _has_page(experience, asked.page.url)
    shown = _entry(decider, ticket, variant, profile, roots) if on_page else None
    said = {
        "visitorId": asked.visitor_id,
        "ruleset": decider.ruleset.version,
        "decisions": [shown] if shown else [],
        "preview": True,
        "ends": _moment(ticket),
    }
    return msgspec.json.encode(said)


def variants(experience: Experience) -> Iterator[tuple[str, Variant]]:
    """What there is to look at: every variant, with its segment."""
    return ((audience.segment, variant) for audience in experience.audiences for variant in audience.variants)


def _found(ruleset: Ruleset, ticket: Ticket) -> tuple[Experience, Variant]:
    experience = ruleset.experiences.get(ticket.experience)
    if experience is not None:
        for segment, variant in variants(experience):
            if (segment, variant.key) == (ticket.segment, ticket.variant):
                return experience, variant
    raise Refused("bad-preview", "The rules have no such variant any more.")


def _entry(decider: Decider, ticket: Ticket, variant: Variant, profile: Profile, roots: Roots) -> object:
    """The variant as it goes on the wire, but for `track`."""
    ruleset = decider.ruleset
    names = ruleset.experiences[ticket.experience].name, ruleset.segments[ticket.segment].name
    entry = msgspec.json.decode(personalized(*names, variant).fill(decider.shown(profile, roots)))
    del entry["track"]
    return entry


def _has_page(experience: Experience, url: str) -> bool:
    page = patterns.parse_url(url)
    return page is not None and any(patterns.compile(pattern).matches(page) for pattern in experience.pages)


def _key(data: Path) -> bytes | None:
    try:
        return Ledger(data / KEY_FILE).read()
    except OSError:
        return None


def _signature(said: str, key: bytes) -> bytes:
    return hmac.digest(key, said.encode(errors="replace"), "sha256")


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _moment(ticket: Ticket) -> str:
    return datetime.fromtimestamp(ticket.ends_s, UTC).isoformat().replace("+00:00", "Z")
