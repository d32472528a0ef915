"""Salesforce as it is asked, on the loopback org and through real `simple-salesforce`."""

import io
from typing import Any

import pytest
import requests

from engine import limits
from engine.salesforce.client import Client, Cut, Page
from engine.salesforce.trouble import LimitReached, NotLetIn, Odd, Refused

QUESTION = "SELECT Id, Name FROM Lead"
NAMES = ["Id", "Name"]


def finished(client: Client, question: str = QUESTION) -> str:
    """A job whose results are there."""
    begun = client.begin(question, deleted=False)
    assert begun.state == "UploadComplete"
    while client.job(begun.id).state != "JobComplete":
        pass
    return begun.id


def test_pages_of_a_query(org: Any, client: Client) -> None:
    """Deleted records come where they are asked for; the next page is where the first one says."""
    for number in range(2_500):
        org.put("Lead", number)
    org.delete("Lead", 7)
    answer = client.ask(QUESTION, deleted=False)
    assert (answer.total, len(answer.records), client.ask(QUESTION, deleted=True).total) == (2_499, 2_000, 2_500)
    assert answer.more is not None
    last = client.more(answer.more)
    assert (len(last.records), last.more) == (499, None)
    assert client.usage is not None
    assert (client.usage.used, client.calls) == (org.used, 4)


def test_pages_of_a_job(org: Any, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotes, commas and ends of lines within a value; each page repeats the names and is read whole."""
    monkeypatch.setattr("engine.limits.SALESFORCE_PAGE_RECORDS", 2)
    names = ['A "b",\nc', "ä" * 40_000, "", "d"]
    for number, name in enumerate(names):
        org.put("Lead", number, Name=name)
    id_, found, locator = finished(client), [], ""
    while True:
        page = client.page(id_, locator, NAMES)
        found += [record["Name"] for record in page.records()]
        locator = page.next
        if not locator:
            break
    assert found == names
    assert client.job(id_).records == 4


def test_an_empty_job(org: Any, client: Client) -> None:
    """Only the names."""
    page = client.page(finished(client), "", NAMES)
    assert (list(page.records()), page.next) == ([], "")


def test_a_token_that_ends_is_renewed_on_every_road(org: Any, client: Client) -> None:
    """Where simple-salesforce does it, and where it does not."""
    org.put("Lead", 1)
    id_ = finished(client)
    for path, ask in (
        ("describe", lambda: client.describe("Lead")),
        ("query", lambda: client.ask(QUESTION, deleted=False)),
        ("results", lambda: list(client.page(id_, "", NAMES).records())),
    ):
        org.trouble = [(path, "expire")]
        tokens = len([line for line in org.asked if "token" in line])
        ask()
        assert len([line for line in org.asked if "token" in line]) == tokens + 1, path


def test_a_token_that_is_never_good(org: Any, client: Client) -> None:
    """It is not renewed for ever."""
    id_ = finished(client)
    for ask in (lambda: client.describe("Lead"), lambda: client.page(id_, "", NAMES)):
        org.trouble = [("services/data", (401, "INVALID_SESSION_ID"))] * 9
        with pytest.raises(NotLetIn, match="INVALID_SESSION_ID"):
            ask()


def test_a_page_that_is_cut(org: Any, client: Client) -> None:
    """At its half, or with fewer records than it says."""
    for number in range(1_000):
        org.put("Lead", number, Name="x" * 200)
    id_ = finished(client)
    org.trouble = [("results", "cut")]
    page = client.page(id_, "", NAMES)
    with pytest.raises(Cut):
        list(page.records())
    page = client.page(id_, "", NAMES)
    page._response.headers["Sforce-NumberOfRecords"] = "1001"
    with pytest.raises(Cut, match="says that it has 1001 records and has 1000"):
        list(page.records())


@pytest.mark.parametrize(
    ("question", "code"),
    [("SELECT FROM", "MALFORMED_QUERY"), ("SELECT Nope FROM Lead", "INVALID_FIELD")],
)
def test_questions_that_are_refused(org: Any, client: Client, question: str, code: str) -> None:
    """By a query and by a job, with Salesforce's own word."""
    for ask in (lambda: client.ask(question, deleted=True), lambda: client.begin(question, deleted=True)):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.code == code


def test_jobs_that_are_not_there(org: Any, client: Client) -> None:
    """As after seven days."""
    for ask in (lambda: client.job("750x"), lambda: client.page("750x", "", NAMES)):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.code == "NOT_FOUND"


def test_the_daily_limit(org: Any, client: Client) -> None:
    """It is no refusal of the question."""
    org.trouble = [("query", (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))]
    with pytest.raises(LimitReached, match="TotalRequests"):
        client.ask(QUESTION, deleted=True)
    assert limits.SALESFORCE_CALLS_PPM < limits.PPM


@pytest.mark.parametrize("wrong", [b"<html>Sign in to go on</html>", b"", "strip", "narrow"])
def test_what_is_no_page_of_results(org: Any, client: Client, wrong: Any) -> None:
    """A success of something in between, without Salesforce's headers, with other columns: none of its rows comes."""
    org.put("Lead", 1, Name="Ada")
    id_ = finished(client)
    org.trouble = [("results", wrong)]
    page = client.page(id_, "", NAMES)
    with pytest.raises(Odd, match="nothing of it was taken, and nothing removed"):
        next(page.records())


@pytest.mark.parametrize("body", [b"Id,Name\n1\n", b"Id,Name\n1,2,3\n", b'Id,Name\n1,"2\n', b"Id,Name\n1,\xff\n"])
def test_lines_of_results_that_are_none(org: Any, client: Client, body: bytes) -> None:
    """Too few values, too many, a quote that is not closed, what is not UTF-8."""
    response = requests.Response()
    response.status_code, response.raw = 200, io.BytesIO(body)
    response.headers.update({"Sforce-NumberOfRecords": "1", "Sforce-Locator": "null"})
    with pytest.raises(Cut):
        list(Page(response, NAMES).records())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("describe", b"[1, 2]"),
        ("describe", b"null"),
        ("describe", b"<html>"),
        ("query/", b"{}"),
        ("query/", b'{"totalSize": 9, "done": false, "records": []}'),
        ("jobs", b'{"id": null, "state": "Open", "createdDate": "2026-01-01T00:00:00Z"}'),
        ("jobs", b'{"id": "750"}'),
        ("jobs", b'{"id": "750", "state": "Open", "createdDate": "soon"}'),
    ],
)
def test_what_is_no_answer(org: Any, client: Client, path: str, body: bytes) -> None:
    """Told in one line."""
    asks = {
        "describe": lambda: client.describe("Lead"),
        "query/": lambda: client.ask(QUESTION, deleted=False),
        "jobs": lambda: client.begin(QUESTION, deleted=False),
    }
    org.trouble = [(path, body)]
    with pytest.raises(Odd, match="an answer is not what Salesforce was asked for"):
        asks[path]()
