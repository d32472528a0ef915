"""Trouble read out of what `simple-salesforce` and `requests` raise, and out of answers that are errors.

What lives here: from theirs to ours (`trouble`). What may not: tokens, URLs and values of records; of others' messages
only those are repeated that Salesforce itself wrote for people.

1. Salesforce answers errors as `[{"errorCode", "message"}]`, its token endpoint as `{"error", "error_description"}`.
2. The daily limit is a 403; a token that ended is a 401 with a code of its own. What is 500 or more is its own trouble.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError

from engine.salesforce.trouble import LimitReached, NotLetIn, Odd, Refused, SalesforceTrouble, Unreachable

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
        raise odd("it is no JSON") from None
    except requests.exceptions.RequestException as error:
        raise unreachable(error) from None
    except (AttributeError, KeyError, TypeError, UnicodeError) as error:  # of the library, over an answer
        raise odd(f"simple-salesforce cannot read it, {type(error).__name__}") from None


def odd(what: str) -> Odd:
    """An answer is none to what was asked."""
    do = "nothing of it was taken, and nothing removed; see what stands between here and Salesforce, then run it again"
    return Odd(f"an answer is not what Salesforce was asked for ({_cut(what)}); {do}")


def not_let_in(code: object, message: object) -> NotLetIn:
    """The token was refused."""
    do = "check the client id, the secret or key, the domain, and that the external client app is enabled for this flow"
    said = ": ".join(_cut(str(part)) for part in (code, message) if part) or "it does not say why"
    return NotLetIn(f"Salesforce does not let us in: {said}; {do}")


def unreachable(error: Exception) -> Unreachable:
    """A request got no whole answer."""
    reason, host = type(error).__name__, _host(error)
    if isinstance(error, requests.exceptions.ProxyError):
        do = "HTTPS_PROXY names it: see that it is up and lets us through, then run it again"
        return Unreachable(f"{host} cannot be reached through the proxy ({reason}); {do}")
    if isinstance(error, requests.exceptions.SSLError):
        do = "the certificate is not trusted: REQUESTS_CA_BUNDLE names a file with that of a proxy in between"
        return Unreachable(f"no secure connection to {host} ({reason}); {do}")
    if type(getattr(next(iter(error.args), None), "reason", None)).__name__ == "NameResolutionError":
        do = "see MUTINY_EDGE_SALESFORCE_DOMAIN and the network, then run it again"
        return Unreachable(f"there is no host {host}, or DNS does not answer; {do}")
    return Unreachable(f"{host} cannot be reached ({reason}); see the domain and the network, then run it again")


def _host(error: Exception) -> str:
    """Of whom it was asked; of an address nothing else, for a question is in it."""
    url = getattr(getattr(error, "request", None), "url", None)
    return (urlsplit(url).hostname if isinstance(url, str) else None) or "Salesforce"


def from_answer(status: int, content: Any) -> SalesforceTrouble:
    """An answer that is an error, by its status and what is in it."""
    code, message = _said(content)
    if code == LIMIT:
        return limit_reached(f"{_cut(message)}")
    if status == requests.codes.unauthorized:
        return NotLetIn(
            f"Salesforce does not take our token ({code or status}); run it again, or check the app's policy"
        )
    if status == requests.codes.too_many_requests:
        return Unreachable(f"Salesforce has too many requests at once ({code or status}); run it again later")
    if status >= requests.codes.server_error:
        return Unreachable(f"Salesforce has trouble of its own ({code or status}); run it again later")
    said = ": ".join(part for part in (code or str(status), _cut(message)) if part)
    return Refused(code, f"Salesforce refuses: {said}")


def limit_reached(what: str) -> LimitReached:
    """No more calls for now."""
    do = "they come back over 24 hours: run the same later, it goes on from here"
    return LimitReached(f"the org's API calls are used up ({what}), and what was read is kept; {do}")


def _said(content: Any) -> tuple[str, str]:
    """Code and message of an error."""
    first = next(iter(content), "") if isinstance(content, list) else content
    if isinstance(first, dict):
        code, message = first.get("errorCode") or first.get("error"), first.get("message")
        return str(code or ""), str(message or first.get("error_description") or "")
    return "", str(first or "") if not isinstance(first, bytes) else ""


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MESSAGE_CHARS else line[: _MESSAGE_CHARS - 1] + "…"


def is_stale(status: int, content: Any) -> bool:
    """Does the answer say that the token is no longer good?"""
    return status == requests.codes.unauthorized and _said(content)[0] == _SESSION
