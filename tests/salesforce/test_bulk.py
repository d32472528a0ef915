"""Jobs: waited for, taken page by page, gone on with, and given up where Salesforce has."""

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from engine import limits
from engine.salesforce.bulk import Jobs
from engine.salesforce.client import Client
from engine.salesforce.fields import described
from engine.salesforce.mirror import Kept, Mirror
from engine.salesforce.state import State
from engine.salesforce.trouble import Refused, Unreachable

QUESTION = "SELECT Id, Email, Name, Score__c FROM Lead"


class Work:
    """Jobs of leads, and what is told meanwhile."""

    def __init__(self, org: Any, client: Client, mirror: Mirror, slept: list[float]) -> None:
        self.told: list[tuple[str, int, int | None]] = []
        self.jobs = Jobs(client, mirror, slept.append, lambda *told: self.told.append(told))
        asked = QUESTION.removeprefix("SELECT ").partition(" FROM")[0].split(", ")
        self.fields = [field for field in described("Lead", {"fields": org.fields["Lead"]}) if field.name in asked]
        self.kept, self.unusable = Kept(), Counter[str]()
        mirror.describe("Lead", self.fields, State())

    def finish(self) -> bool:
        """The job that is noted."""
        return self.jobs.finish("Lead", self.fields, (self.kept, self.unusable))


@pytest.fixture
def work(org: Any, client: Client, mirror: Mirror, slept: list[float], monkeypatch: pytest.MonkeyPatch) -> Work:
    """Five leads, two a page."""
    monkeypatch.setattr("engine.limits.SALESFORCE_PAGE_RECORDS", 2)
    for number in range(5):
        org.put("Lead", number, Name=f"n{number}", Email=f"{number}@x.org", Score__c=float(number))
    return Work(org, client, mirror, slept)


def test_it_is_waited_for_longer_and_longer(org: Any, work: Work, mirror: Mirror, slept: list[float]) -> None:
    """Then its pages are kept one by one, and the object is as far as the job is old."""
    org.looks = 12
    work.jobs.begin("Lead", "everything", QUESTION)
    assert work.finish()
    assert slept[:3] == [1.0, 1.5, 2.25]
    assert max(slept) == limits.SALESFORCE_POLL_MOST_S
    assert work.told[-3:] == [("Lead", 2, 5), ("Lead", 4, 5), ("Lead", 5, 5)]
    assert work.kept == Kept(new=5)
    state = mirror.state("Lead")
    assert (state.job, state.mark, state.full, state.reread) == (None, org.now, org.now, None)


def test_a_page_that_is_cut_is_asked_for_again(org: Any, work: Work, slept: list[float]) -> None:
    """Nothing of its first half counts; it is not asked for for ever."""
    org.looks = 0
    work.jobs.begin("Lead", "everything", QUESTION)
    org.trouble = [("results", "cut"), ("results", "cut")]
    assert work.finish()
    assert (slept, work.kept) == ([1.0, 2.0], Kept(new=5))
    work.jobs.begin("Lead", "everything", QUESTION)
    org.trouble = [("results", "cut")] * limits.SALESFORCE_TRIES
    with pytest.raises(Unreachable):
        work.finish()


def test_it_goes_on_behind_the_last_whole_page(org: Any, work: Work, mirror: Mirror) -> None:
    """Whoever finishes it: the job and its next page are in the mirror."""
    org.looks = 0
    work.jobs.begin("Lead", "everything", QUESTION)
    org.trouble = [("locator=2", (400, "SOMETHING"))]
    with pytest.raises(Refused):
        work.finish()
    job = mirror.state("Lead").job
    assert job is not None
    assert (job.locator, job.records, work.kept.new) == ("2", 2, 2)
    org.asked.clear()
    assert work.finish()
    assert [line.partition("results?")[2] for line in org.asked if "results" in line] == [
        "maxRecords=2&locator=2", "maxRecords=2&locator=4",
    ]  # fmt: skip


def test_all_pages_are_kept_and_it_died_before_the_end(org: Any, work: Work, mirror: Mirror) -> None:
    """Then only the end is made up for."""
    org.looks = 0
    work.jobs.begin("Lead", "everything", QUESTION)
    end = work.jobs._end
    work.jobs._end = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        work.finish()
    work.jobs._end = end  # type: ignore[method-assign]
    org.asked.clear()
    assert work.finish()
    assert not [line for line in org.asked if "results" in line]
    assert mirror.state("Lead").full == org.now


def test_a_job_that_is_not_known_any_more(org: Any, work: Work, mirror: Mirror) -> None:
    """As after seven days: it is dropped, and whoever began it just now is told."""
    work.jobs.begin("Lead", "everything", QUESTION)
    org.jobs.clear()
    assert not work.finish()
    assert mirror.state("Lead").job is None
    org.trouble = [("jobs/query/750", (404, "NOT_FOUND"))]
    with pytest.raises(Refused, match="does not know its own job"):
        work.jobs.run("Lead", "everything", QUESTION, work.fields, (work.kept, work.unusable))


def test_a_job_that_failed(org: Any, work: Work, mirror: Mirror) -> None:
    """It says why, and is begun anew the next time."""
    work.jobs.begin("Lead", "everything", QUESTION)
    [job] = org.jobs.values()
    job["failed"] = "INVALID_FIELD: No such column"
    with pytest.raises(Refused, match=r"could not carry out its job \(Failed\): INVALID_FIELD") as refused:
        work.finish()
    assert refused.value.code == "INVALID_FIELD"
    assert mirror.state("Lead").job is None


def test_reading_formulas_again(org: Any, work: Work, mirror: Mirror) -> None:
    """Only their values change; what was not seen is gone; what is not known yet is left to the next increment."""
    org.looks = 0
    work.jobs.run("Lead", "everything", QUESTION, work.fields, (work.kept, work.unusable))
    work.fields = [replace(field, calculated=field.name == "Score__c") for field in work.fields]
    for record in org.records["Lead"].values():
        record["Score__c"] = 7.5
    org.records["Lead"][next(iter(org.records["Lead"]))]["Score__c"] = None
    org.purge("Lead", 4)
    org.put("Lead", 9)
    work.kept = Kept()
    work.jobs.run("Lead", "rereading", "SELECT Id, Score__c FROM Lead", work.fields, (work.kept, work.unusable))
    assert work.kept == Kept(changed=4, gone=1)
    found = {row.values["Name"]: row.values.get("Score__c") for _, row in _all(mirror)}
    assert found == {"n0": None, "n1": 7.5, "n2": 7.5, "n3": 7.5}
    assert mirror.state("Lead").reread == org.now


def _all(mirror: Mirror) -> list[tuple[str, Any]]:
    return [found for number in range(5) for found in mirror.holders(f"{number}@x.org")]
