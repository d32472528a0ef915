"""Trouble read out of answers, each with what to do about it, and nothing of what was asked."""

import pytest
import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceMalformedRequest

from engine.salesforce.answers import from_answer, is_stale, told
from engine.salesforce.trouble import LimitReached, NotLetIn, Odd, Refused, SalesforceTrouble, Unreachable

URL = "https://acme.my.salesforce.com/services/data/v59.0/query/?q=SELECT+Secret__c"


@pytest.mark.parametrize(
    ("status", "content", "kind", "said"),
    [
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}], LimitReached,
         "used up (TotalRequests Limit exceeded.), and what was read is kept; they come back over 24 hours"),
        (401, [{"errorCode": "INVALID_SESSION_ID", "message": "expired"}], NotLetIn, "INVALID_SESSION_ID"),
        (400, [{"errorCode": "MALFORMED_QUERY", "message": "\nSELECT\n  ^"}], Refused, "MALFORMED_QUERY: SELECT ^"),
        (503, "<html>down</html>", Unreachable, "trouble of its own (503)"),
        (403, [{"errorCode": "API_DISABLED_FOR_ORG"}], Refused, "API_DISABLED_FOR_ORG"),
        (404, b"", Refused, "404"),
        (400, [], Refused, "refuses: 400"),
        (429, [], Unreachable, "has too many requests at once (429); run it again later"),
    ],
)  # fmt: skip
def test_answers_that_are_errors(status: int, content: object, kind: type[SalesforceTrouble], said: str) -> None:
    """The daily limit is a 403 among others; a whole page of HTML is cut."""
    found = from_answer(status, content)
    assert type(found) is kind
    assert said in str(found)


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (SalesforceAuthenticationFailed("invalid_client", "invalid client credentials"), NotLetIn, "invalid_client"),
        (SalesforceMalformedRequest(URL, 400, "query", [{"errorCode": "INVALID_FIELD"}]), Refused, "INVALID_FIELD"),  # type: ignore[arg-type]
        (requests.exceptions.SSLError("certificate verify failed"), Unreachable, "REQUESTS_CA_BUNDLE"),
        (requests.exceptions.ConnectTimeout(URL), Unreachable, "Salesforce cannot be reached (ConnectTimeout)"),
        (
            requests.exceptions.ReadTimeout(request=requests.Request("GET", URL).prepare()),
            Unreachable,
            "acme.my.salesforce.com cannot be reached (ReadTimeout)",
        ),
        (AttributeError("no instance_url"), Odd, "simple-salesforce cannot read it, AttributeError"),
        (requests.exceptions.JSONDecodeError("x", "y", 0), Odd, "no JSON"),
        (SalesforceAuthenticationFailed(None, None), NotLetIn, "it does not say why"),  # type: ignore[arg-type]
    ],
)
def test_what_libraries_raise(raised: Exception, kind: type[SalesforceTrouble], said: str) -> None:
    """Neither the URL with the question nor a traceback goes on."""
    with pytest.raises(kind) as found, told():
        raise raised
    assert said in str(found.value)
    assert "Secret__c" not in str(found.value)
    assert found.value.__suppress_context__


def test_a_token_that_ended() -> None:
    """By its own word, not by the status alone."""
    assert is_stale(401, [{"errorCode": "INVALID_SESSION_ID"}])
    assert not is_stale(401, [{"errorCode": "INVALID_AUTH_HEADER"}])
    assert not is_stale(403, [{"errorCode": "INVALID_SESSION_ID"}])
    assert not is_stale(200, None)
