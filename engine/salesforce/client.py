"""Salesforce as it is asked here: a description, a page of a query, a job. Through `simple-salesforce`.

What lives here: `Client`. What may not: what is asked for (`soql`), what is done with the answers.

1. `simple-salesforce` renews the token by itself where it reads JSON. Results of jobs are CSV, and it would hold a
   whole page of them in memory twice; so they are read line by line over its connection, and a token that ended
   meanwhile is renewed by asking it for the job.
2. A page of results says how many records it has and where the next one is, and its first row names the fields that
   were asked for, or it is no page of results, whatever its status: else what stands in between would empty the mirror.
3. A line of CSV that arrives is whole; an answer that is cut ends in `Cut`, and whoever reads it decides what to do.
4. What is no answer to what was asked (`answers.Odd`) is refused before anything of it counts.
"""

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
import requests
from msgspec import Struct
from simple_salesforce.api import Salesforce

from engine import limits
from engine.salesforce.access import Access
from engine.salesforce.answers import from_answer, is_stale, odd, told, unreachable
from engine.salesforce.fields import Object
from engine.salesforce.login import connect
from engine.salesforce.rows import read_csv
from engine.salesforce.session import Session, Usage
from engine.salesforce.trouble import Unreachable

_PIECE_BYTES: Final = 2**16
_LAST: Final = "null"
_COUNT, _NEXT = "Sforce-NumberOfRecords", "Sforce-Locator"

Shape = TypeVar("Shape")


class Cut(Unreachable):
    """An answer ended too early."""


class Answer(Struct, frozen=True):
    """A page of a query: how many records the whole has, those of this page, and where the next one is."""

    total: int
    records: tuple[Mapping[str, Any], ...]
    more: str | None


class Begun(Struct, frozen=True):
    """What Salesforce says of a job: `state` is its own word; `records` None: it does not say how many."""

    id: str
    state: str
    created: datetime
    records: int | None
    message: str


class _Query(Struct, rename="camel"):
    total_size: int
    done: bool
    records: tuple[dict[str, Any], ...]
    next_records_url: str | None = None


class _Job(Struct, rename="camel"):
    id: str
    state: str
    created_date: str
    number_records_processed: int | None = None
    error_message: str | None = None


class Page:
    """A page of a job's results: its records, to be gone through once; then `next` says where the next page is."""

    def __init__(self, response: requests.Response, names: Sequence[str]) -> None:
        self._response = response
        self._names = sorted(names)
        self.next: str = ""

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Names and raw values. Raises Cut, Odd."""
        headers, records = self._response.headers, 0
        try:
            self._check()
            found = read_csv(_lines(self._response))
            self._compare(found.fieldnames or ())
            for records, record in enumerate(found, 1):  # noqa: B007 - counted
                if None in record or None in record.values():
                    raise Cut("a line of results has not as many values as there are fields; run it again")
                yield record
        except UnicodeDecodeError:
            raise Cut("a page of results is not in UTF-8; see what stands in between, then run it again") from None
        except csv.Error as error:
            raise Cut(f"a page of results is no CSV ({error}); run it again") from None
        except requests.exceptions.RequestException as error:
            raise Cut(str(unreachable(error))) from None
        finally:
            self._response.close()
        if headers[_COUNT] != str(records):
            raise Cut(f"a page of results says that it has {headers[_COUNT]} records and has {records}; run it again")
        self.next = "" if headers[_NEXT] == _LAST else headers[_NEXT]

    def _check(self) -> None:
        for name in (_COUNT, _NEXT):
            if not self._response.headers.get(name):
                raise odd(f"a page of results came without {name}")

    def _compare(self, names: Sequence[str]) -> None:
        """The first row is what was asked for. Of no records there may be no row at all."""
        if sorted(names) != self._names and (names or self._response.headers[_COUNT] != "0"):
            raise odd("a page of results has other columns than were asked for")


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
        return _shaped(self._json(f"sobjects/{object_}/describe"), dict[str, Any])

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

    def page(self, id_: str, locator: str, names: Sequence[str]) -> Page:
        """A page of a finished job that asked for these fields; the first one has an empty locator."""
        response = self._results(id_, locator)
        if is_stale(response.status_code, _content(response)):
            self.job(id_)  # renews the token
            response = self._results(id_, locator)
        if not response.ok:
            raise from_answer(response.status_code, _content(response))
        return Page(response, names)

    def _results(self, id_: str, locator: str) -> requests.Response:
        asked = {"maxRecords": str(limits.SALESFORCE_PAGE_RECORDS)} | ({"locator": locator} if locator else {})
        headers = {**self._org.headers, "Accept": "text/csv"}
        url = f"{self._org.bulk2_url}query/{id_}/results"
        with told():
            return self._session.get(url, params=asked, headers=headers, stream=True)

    def _json(self, path: str, **how: Any) -> Any:
        with told():
            return self._org.restful(path, **how)


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


def _shaped(found: Any, shape: type[Shape]) -> Shape:
    """The answer, if it has the form that Salesforce documents. Raises Odd."""
    try:
        return msgspec.convert(found, shape)
    except msgspec.ValidationError as error:
        raise odd(str(error)) from None


def _answer(found: Any) -> Answer:
    page = _shaped(found, _Query)
    if page.done == (page.next_records_url is not None):
        raise odd("a page of a query has to be the last one or name the next")
    return Answer(page.total_size, page.records, page.next_records_url)


def _begun(found: Any) -> Begun:
    job = _shaped(found, _Job)
    try:
        created = datetime.fromisoformat(job.created_date)
    except ValueError:
        created = None
    if created is None or created.tzinfo is None:
        raise odd("`createdDate` of a job is no time with a zone")
    return Begun(job.id, job.state, created, job.number_records_processed, job.error_message or "")
