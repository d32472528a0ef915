"""Salesforce as it is asked here: a description, a page of a query, a job. Through `simple-salesforce`.

What lives here: `Client`. What may not: what is asked for (`soql`), what is done with the answers.

1. `simple-salesforce` renews the token by itself where it reads JSON. Results of jobs are CSV, and it would hold a
   whole page of them in memory twice; so they are read line by line over its connection, and a token that ended
   meanwhile is renewed by asking it for the job.
2. A line of CSV that arrives is whole; an answer that is cut ends in `Cut`, and whoever reads it decides what to do.
"""

import codecs
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import requests
from msgspec import Struct
from simple_salesforce.api import Salesforce

from engine import limits
from engine.salesforce.access import Access
from engine.salesforce.answers import from_answer, is_stale, told, unreachable
from engine.salesforce.fields import Object
from engine.salesforce.login import connect
from engine.salesforce.rows import read_csv
from engine.salesforce.session import Session, Usage
from engine.salesforce.trouble import Unreachable

_PIECE_BYTES: Final = 2**16
_LAST: Final = frozenset({"", "null"})


class Cut(Unreachable):
    """An answer ended too early."""


class Answer(Struct, frozen=True):
    """A page of a query: how many records the whole has, those of this page, and where the next one is."""

    total: int
    records: tuple[Mapping[str, Any], ...]
    more: str | None


class Begun(Struct, frozen=True):
    """What Salesforce says of a job: `state` is its own word."""

    id: str
    state: str
    created: datetime
    records: int
    message: str


class Page:
    """A page of a job's results: its records, to be gone through once; then `next` says where the next page is."""

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self.next: str = ""

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Names and raw values. Raises Cut."""
        headers, records = self._response.headers, 0
        try:
            for records, record in enumerate(read_csv(_lines(self._response)), 1):  # noqa: B007 - counted
                yield record
        except (requests.exceptions.RequestException, UnicodeDecodeError) as error:
            raise Cut(str(unreachable(error))) from None
        finally:
            self._response.close()
        if headers.get("Sforce-NumberOfRecords", str(records)) != str(records):
            raise Cut("a page of results has fewer records than it says; run it again")
        locator = headers.get("Sforce-Locator", "")
        self.next = "" if locator in _LAST else locator


class Client:
    """An org, asked as the user of `access`. Raises NotLetIn, Unreachable, LimitReached, Refused."""

    def __init__(self, access: Access, session: Session) -> None:
        self._session = session
        self._org: Salesforce = connect(access, session)

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return self._session.calls

    @property
    def usage(self) -> Usage | None:
        """How many of the org's calls are used, as far as it said."""
        return self._session.usage

    def describe(self, object_: Object) -> Mapping[str, Any]:
        """The object's fields, in Salesforce's words."""
        return self._json(f"sobjects/{object_}/describe")

    def ask(self, question: str, *, deleted: bool) -> Answer:
        """The first page of a query; with `deleted`, deleted records too."""
        with told():
            return _answer(self._org.query(question, include_deleted=deleted))

    def more(self, where: str) -> Answer:
        """Another page."""
        with told():
            return _answer(self._org.query_more(where, identifier_is_url=True))

    def begin(self, question: str, *, deleted: bool) -> Begun:
        """A job for this question."""
        asked = {"operation": "queryAll" if deleted else "query", "query": question}
        form = {"contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"}
        return _begun(self._json("jobs/query", method="POST", json=asked | form))

    def job(self, id_: str) -> Begun:
        """How far a job is."""
        return _begun(self._json(f"jobs/query/{id_}"))

    def page(self, id_: str, locator: str) -> Page:
        """A page of a finished job; the first one has an empty locator."""
        response = self._results(id_, locator)
        if is_stale(response.status_code, _content(response)):
            self.job(id_)  # renews the token
            response = self._results(id_, locator)
        if not response.ok:
            raise from_answer(response.status_code, _content(response))
        return Page(response)

    def _results(self, id_: str, locator: str) -> requests.Response:
        asked = {"maxRecords": str(limits.SALESFORCE_PAGE_RECORDS)} | ({"locator": locator} if locator else {})
        headers = {**self._org.headers, "Accept": "text/csv"}
        url = f"{self._org.bulk2_url}query/{id_}/results"
        with told():
            return self._session.get(url, params=asked, headers=headers, stream=True)

    def _json(self, path: str, **how: Any) -> Mapping[str, Any]:
        with told():
            found: Mapping[str, Any] = self._org.restful(path, **how) or {}
        return found


def _lines(response: requests.Response) -> Iterator[str]:
    """The lines of an answer, with what ends them. What follows the last end of a line is a line too."""
    rest = ""
    for piece in codecs.iterdecode(response.iter_content(_PIECE_BYTES), "utf-8"):
        *whole, rest = (rest + piece).split("\n")
        yield from (f"{line}\n" for line in whole)
    if rest:
        yield rest


def _content(response: requests.Response) -> Any:
    """What an answer that is an error says; nothing of one that is none."""
    if response.ok:
        return None
    try:
        return response.json()
    except requests.exceptions.RequestException:
        return None


def _answer(found: Mapping[str, Any]) -> Answer:
    more = None if found.get("done", True) else str(found["nextRecordsUrl"])
    return Answer(int(found.get("totalSize", 0)), tuple(found.get("records", ())), more)


def _begun(found: Mapping[str, Any]) -> Begun:
    return Begun(
        str(found["id"]),
        str(found["state"]),
        datetime.fromisoformat(str(found["createdDate"])),
        int(found.get("numberRecordsProcessed") or 0),
        str(found.get("errorMessage") or ""),
    )
