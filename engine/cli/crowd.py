"""The demo's visitors: a few with names, who show something each, and a crowd of generated ones.

The same number gives the same crowd every time, so that what README prints stays true.
"""

import random
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

COMPANIES = ("Northbank", "Clinica", "Shipfast", "Lumen", "Kranwerk", "Papertrail", "Owlworks", "Fjordline")
INDUSTRIES = ("SaaS", "FinTech", "Healthcare", "Retail", "Manufacturing", "Insurance")
FIRST_NAMES = ("Ada", "Alan", "Barbara", "Edsger", "Grace", "Katherine", "Ken", "Margaret", "Radia", "Tony")
PLANS = ("free", "trial", "team", "enterprise")
SEED = 1


class Named(Struct, frozen=True):
    """A visitor whom the example website offers: `who` says in words what is known of them."""

    visitor_id: str
    who: str
    traits: dict[str, Any] = {}
    account: dict[str, Any] = {}
    visit: dict[str, Any] = {}


# Ada and Alan are alike but for the id, which draws one personalized and the other control.
NAMED = (
    Named(
        "ada",
        "Ada, finance, 120 people",
        {"firstName": "Ada", "company": "Northbank", "industry": "FinTech", "employees": "120"},
    ),
    Named(
        "alan",
        "Alan, finance, 80 people",
        {"firstName": "Alan", "company": "Lumen", "industry": "FinTech", "employees": 80},
    ),
    Named("stranger", "a stranger, first visit", visit={"count": 1, "new": True}),
    Named("regular", "a stranger, fifth visit", visit={"count": 5}),
    Named("grace", "Grace, a customer", {"firstName": "Grace", "is_customer": "true", "plan": "team"}),
    Named(
        "ken",
        "Ken, a customer whose seats run out",
        {"firstName": "Ken", "is_customer": True},
        {"name": "Owlworks", "seats": 50, "seats_used": 47},
    ),
    Named("radia", "Radia, 5,000 people", {"company": "Fjordline", "employees": 5000}, {"name": "Fjordline"}),
    Named("tony", "Tony, 12 people", {"company": "Papertrail", "employees": "12"}),
)


def lines(count: int) -> Iterator[dict[str, Any]]:
    """`count` visitors as `mutiny-edge import` takes them, the named ones first."""
    for named in NAMED[:count]:
        yield {"visitorId": named.visitor_id, "traits": named.traits, "account": named.account}
    chance = random.Random(SEED)  # noqa: S311  (an example crowd, no secret)
    for number in range(len(NAMED) + 1, count + 1):
        yield {"visitorId": f"visitor-{number:05}", "traits": _traits(chance), "account": _account(chance)}


def _traits(chance: random.Random) -> dict[str, Any]:
    """What is known of somebody; of many little, of some nothing, and numbers often as text, as in real life."""
    employees = int(10 ** chance.uniform(0.3, 4))
    traits = {
        "firstName": chance.choice(FIRST_NAMES),
        "company": chance.choice(COMPANIES),
        "industry": chance.choice(INDUSTRIES),
        "employees": str(employees) if chance.random() < 0.4 else employees,
        "plan": chance.choice(PLANS),
        "is_customer": chance.random() < 0.2,
    }
    return {name: value for name, value in traits.items() if chance.random() < 0.7}


def _account(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.6:
        return {}
    seats = chance.randint(5, 500)
    return {"name": chance.choice(COMPANIES), "seats": seats, "seats_used": chance.randint(1, seats)}
