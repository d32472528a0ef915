"""The connection: time-outs, retries with pauses that double, and calls that are left to others."""

from typing import Any

import pytest
import requests

from engine import limits
from engine.salesforce.session import Session, Usage, usage
from engine.salesforce.trouble import LimitReached, Unreachable

PATH = "/services/data/v59.0/limits"


@pytest.fixture
def session(slept: list[float]) -> Any:
    """It never really waits."""
    with Session(slept.append) as made:
        yield made


def test_trouble_on_the_way_is_tried_again(org: Any, orgs: Any, session: Session, slept: list[float]) -> None:
    """Statuses, a closed connection, an answer that is cut at its half: longer and longer pauses, then it works."""
    org.trouble = [(PATH, (503, "SERVER_UNAVAILABLE")), (PATH, "drop"), (PATH, (500, "UNKNOWN_EXCEPTION"))]
    org.trouble += [("/services/oauth2/token", "cut")]
    assert session.get(f"https://{orgs.HOST}{PATH}").status_code == 401
    assert slept == [1.0, 2.0, 4.0]
    assert session.post(f"https://{orgs.HOST}/services/oauth2/token").status_code == 400
    assert slept == [1.0, 2.0, 4.0, 1.0]


def test_retry_after_is_heard(org: Any, orgs: Any, session: Session, slept: list[float]) -> None:
    """In seconds, up to a bound."""
    org.trouble = [(PATH, (503, "", "", {"Retry-After": "7"})), (PATH, (429, "", "", {"Retry-After": "9999"}))]
    session.get(f"https://{orgs.HOST}{PATH}")
    assert slept == [7.0, limits.SALESFORCE_PAUSE_MOST_S]


def test_it_does_not_try_for_ever(org: Any, orgs: Any, session: Session, slept: list[float]) -> None:
    """The last answer is returned as it is; without any, that is told."""
    org.trouble = [(PATH, (503, "SERVER_UNAVAILABLE"))] * limits.SALESFORCE_TRIES
    assert session.get(f"https://{orgs.HOST}{PATH}").status_code == 503
    org.trouble = [(PATH, "drop")] * limits.SALESFORCE_TRIES
    with pytest.raises(Unreachable, match=r"acme\.my\.salesforce\.com cannot be reached"):
        session.get(f"https://{orgs.HOST}{PATH}")
    assert len(slept) == 2 * (limits.SALESFORCE_TRIES - 1)


def test_who_is_not_trusted_is_not_asked_again(
    org: Any, orgs: Any, session: Session, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate does not get better by waiting."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(Unreachable, match="no secure connection"):
        session.get(f"https://{orgs.HOST}{PATH}")
    assert slept == []


def test_what_is_tried_again_is_told(org: Any, orgs: Any, slept: list[float]) -> None:
    """At once, with why, and when."""
    told: list[str] = []
    org.trouble = [(PATH, (503, "SERVER_UNAVAILABLE")), (PATH, "drop")]
    with Session(slept.append, told.append) as session:
        session.get(f"https://{orgs.HOST}{PATH}")
    assert told[0] == "Salesforce has trouble of its own (503); it is tried again in 1 s"
    assert told[1].startswith("acme.my.salesforce.com cannot be reached")
    assert told[1].endswith("; it is tried again in 2 s")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HTTPS_PROXY", "http://127.0.0.1:9", "through the proxy (ProxyError); HTTPS_PROXY names it"),
        ("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem", "/nowhere/ca.pem; REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) has to"),
    ],
)
def test_surroundings_that_are_wrong(
    org: Any, orgs: Any, session: Session, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """The setting is named."""
    for spelled in {name, name.lower()} if name == "HTTPS_PROXY" else {name}:
        monkeypatch.setenv(spelled, value)
    with pytest.raises(Unreachable) as found:
        session.get(f"https://{orgs.HOST}{PATH}")
    assert said in str(found.value)


def test_every_request_has_time_outs(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks need not think of it."""
    asked: dict[str, Any] = {}

    def request(self: Any, method: Any, url: Any, **how: Any) -> requests.Response:
        asked.update(how)
        response = requests.Response()
        response.status_code = 200
        return response

    monkeypatch.setattr(requests.Session, "request", request)
    session.get("https://x")
    assert asked["timeout"] == (limits.SALESFORCE_CONNECT_S, limits.SALESFORCE_READ_S)


def test_the_last_calls_are_for_others(org: Any, orgs: Any, session: Session) -> None:
    """Once nine tenths are used nothing more is asked; a token may be."""
    org.used, org.total = 8_999, 10_000
    session.get(f"https://{orgs.HOST}{PATH}")
    assert session.usage == Usage(9_000, 10_000)
    asked = len(org.asked)
    with pytest.raises(LimitReached, match=r"9,000 of 10,000; the rest is left"):
        session.get(f"https://{orgs.HOST}{PATH}")
    session.post(f"https://{orgs.HOST}/services/oauth2/token")
    assert len(org.asked) == asked + 1


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("api-usage=18/5000", Usage(18, 5000)),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample)", Usage(25, 5000)),
        ("per-app-api-usage=17/250(appName=sample)", None),
        ("api-usage=x/5000", None),
        ("", None),
    ],
)
def test_what_the_header_says(header: str, found: Usage | None) -> None:
    """Of the org, not of one app."""
    assert usage(header) == found
