"""Trouble read out of what `simple-salesforce` and `requests` raise, and out of answers that are errors.

What lives here: from theirs to ours (`trouble`). What may not: tokens, URLs and values of records; of others' messages
only those are repeated that Salesforce itself wrote for people.

1. Salesforce answers errors as `[{"errorCode", "message"}]`, its token endpoint as `{"error", "error_description"}`.
2. The daily limit is a 403; a token that ended is a 401 with a code of its own. What is 500 or more is its own trouble.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError

from engine.salesforce.trouble import LimitReached, NotLetIn, Refused, SalesforceTrouble, Unreachable

LIMIT: Final = "REQUEST_LIMIT_EXCEEDED"
_SESSION: Final = "INVALID_SESSION_ID"
_MESSAGE_CHARS: Final = 300


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong inside is raised as one of these."""
    try:
        yield
    except SalesforceAuthenticationFailed as error:
        raise not_let_in(error.code, error.auth_message) from None
    except SalesforceError as error:
        raise from_answer(error.status, error.content) from None
    except requests.exceptions.JSONDecodeError:
        raise Refused("", "an answer of Salesforce is no JSON; see that nothing stands in between") from None
    except requests.exceptions.RequestException as error:
        raise unreachable(error) from None


def not_let_in(code: object, message: str) -> NotLetIn:
    """The token was refused."""
    do = "check the client id, the secret or key, the domain, and that the external client app is enabled for this flow"
    return NotLetIn(f"Salesforce does not let us in: {code}: {_cut(message)}; {do}")


def unreachable(error: Exception) -> Unreachable:
    """A request got no whole answer."""
    reason = type(error).__name__
    if isinstance(error, requests.exceptions.SSLError):
        do = "the certificate is not trusted: REQUESTS_CA_BUNDLE names a file with that of a proxy in between"
        return Unreachable(f"no secure connection to Salesforce ({reason}); {do}")
    return Unreachable(f"Salesforce cannot be reached ({reason}); see the domain and the network, then run it again")


def from_answer(status: int, content: Any) -> SalesforceTrouble:
    """An answer that is an error, by its status and what is in it."""
    code, message = _said(content)
    if code == LIMIT:
        return limit_reached(f"{_cut(message)}")
    if status == requests.codes.unauthorized:
        return NotLetIn(
            f"Salesforce does not take our token ({code or status}); run it again, or check the app's policy"
        )
    if status >= requests.codes.server_error:
        return Unreachable(f"Salesforce has trouble of its own ({code or status}); run it again later")
    return Refused(code, f"Salesforce refuses: {code or status}: {_cut(message)}")


def limit_reached(what: str) -> LimitReached:
    """No more calls for now."""
    do = "they come back over 24 hours: run the same later, it goes on from here"
    return LimitReached(f"the org's API calls are used up ({what}), and what was read is kept; {do}")


def _said(content: Any) -> tuple[str, str]:
    """Code and message of an error."""
    first = content[0] if isinstance(content, list) and content else content
    if isinstance(first, dict):
        code, message = first.get("errorCode") or first.get("error"), first.get("message")
        return str(code or ""), str(message or first.get("error_description") or "")
    return "", "" if isinstance(first, bytes) else str(first)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MESSAGE_CHARS else line[: _MESSAGE_CHARS - 1] + "…"


def is_stale(status: int, content: Any) -> bool:
    """Does the answer say that the token is no longer good?"""
    return status == requests.codes.unauthorized and _said(content)[0] == _SESSION
