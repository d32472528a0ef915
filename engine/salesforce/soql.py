"""The questions that are asked of Salesforce, in SOQL. Pure.

1. Names come from the org's own description, times are made here: there is nothing to escape.
2. An increment is ordered by the time of change, so that wherever it is cut, what was read is all up to some time. A
   job is not ordered: Salesforce could not cut it into parts then.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote_plus

from engine import limits
from engine.salesforce.fields import Field, Object

_OVERLAP: Final = timedelta(seconds=limits.SALESFORCE_OVERLAP_S)


def everything(object_: Object, fields: Iterable[Field]) -> str:
    """All fields of all records."""
    return _question(object_, (field.name for field in fields))


def changes(object_: Object, fields: Iterable[Field], mark: datetime, *, ordered: bool) -> str:
    """All fields of the records that changed since some minutes before `mark`."""
    since = (mark - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")
    order = " ORDER BY SystemModstamp ASC, Id ASC" if ordered else ""
    return f"{everything(object_, fields)} WHERE SystemModstamp >= {since}{order}"


def rereading(object_: Object, calculated: Iterable[Field]) -> str:
    """The formula fields of all records; of an object that has none, all ids."""
    return _question(object_, ["Id", *(field.name for field in calculated)])


def fits_url(question: str) -> bool:
    """May it be asked in a URL, or only in a body?"""
    return len(quote_plus(question)) <= limits.SALESFORCE_URL_BYTES


def _question(object_: Object, names: Iterable[str]) -> str:
    return f"SELECT {', '.join(names)} FROM {object_}"  # noqa: S608 - no SQL, and nothing of it comes from outside
