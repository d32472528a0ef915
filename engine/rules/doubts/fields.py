"""The fields that Salesforce has: names, kinds of their values, the values of picklists. Pure.

What lives here: the shape of it, and the nearest name to one that there is not. What may not: mirrors, which
salesforce/mirror.py keeps, and what rules ask (lint_fields.py).
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from engine.problems import did_you_mean
from engine.rules.doubts.demands import Kind
from engine.rules.notation import slots

ROOT = "salesforce"


class KnownField(Struct, frozen=True):
    """One field; `values` are all that a picklist has, none where it may hold anything."""

    kind: Kind
    values: tuple[str, ...] = ()


class Fields(Struct, frozen=True):
    """Every field, by record (`lead`, `contact`) and name. A record of which nothing is known is not there."""

    records: Mapping[str, Mapping[str, KnownField]]

    def of(self, record: str, name: str) -> KnownField | None:
        """The field of this name."""
        return self.records.get(record, {}).get(name)

    def nearest(self, record: str, name: str) -> str:
        """`did you mean `salesforce.lead.Status`?`, or nothing: the same in other letters or without `__c`, the same in
        the other record, one that is nearly the same."""
        others = [record, *(other for other in self.records if other != record)]
        for where in others:
            known = next((one for one in self.records[where] if _plain(one) == _plain(name)), None)
            if known is not None:
                return f"did you mean `{slots.shown((ROOT, where, known))}`?"
        near = did_you_mean(name, self.records[record])
        return f"did you mean `{slots.shown((ROOT, record, near.split('`')[1]))}`?" if near else ""


def nearest_value(value: str, values: Iterable[str]) -> str:
    """`did you mean `Working`?`, or nothing."""
    listed = list(values)
    known = next((one for one in listed if one.lower() == value.lower()), None)
    return f"did you mean `{known}`?" if known is not None else did_you_mean(value, listed)


def _plain(name: str) -> str:
    """`Open Opportunities`, `open_opportunities` and `Open_Opportunities__c` are one."""
    return "".join(c for c in name.lower().removesuffix("__c") if c.isalnum())
