"""The connection to Salesforce: time-outs, retries, and how many of the org's API calls are used.

What lives here: a `requests.Session` for `simple-salesforce`, which has none of these of its own. What may not: what is
asked, tokens.

1. Every request has time-outs. What fails on the way, or is answered with 500, 502, 503, 504 or 429, is tried again
   after a pause that doubles, or as long as `Retry-After` says (a minute at most), and that is told at once. All that
   is asked here can be asked twice.
2. A whole answer is read before it counts; one that was cut is trouble on the way. Of answers that are read piece by
   piece (`stream`) only the beginning is tried again here; their reader knows what to do.
3. Salesforce says with every answer how many calls of the last 24 hours are used (`Sforce-Limit-Info`). Before the last
   tenth is touched (`limits.SALESFORCE_CALLS_PPM`) nothing more is asked: it is there for the org's other programs.
"""

from collections.abc import Callable
from typing import Any, Final

import requests
from msgspec import Struct
from requests.exceptions import ChunkedEncodingError, RequestException, SSLError, Timeout
from requests.exceptions import ConnectionError as NoConnection

from engine import limits
from engine.salesforce.answers import from_answer, limit_reached, unreachable
from engine.salesforce.trouble import LimitReached, SalesforceTrouble, Unreachable

_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_TOKEN: Final = "/services/oauth2/token"  # is not counted, and has to be asked to go on  # noqa: S105 - a path


class Usage(Struct, frozen=True):
    """API calls of the org in the last 24 hours: so many were made, so many may be."""

    used: int
    total: int

    @property
    def is_low(self) -> bool:
        """Is only the part left that is for others?"""
        return self.total > 0 and self.used * limits.PPM >= self.total * limits.SALESFORCE_CALLS_PPM


class Session(requests.Session):
    """Connections that neither hang nor give up at once. `sleep` is given seconds, `tell` what is tried again."""

    def __init__(self, sleep: Callable[[float], None], tell: Callable[[str], None] = lambda _: None) -> None:
        super().__init__()
        self._sleep = sleep
        self._tell = tell
        self.usage: Usage | None = None
        self.calls = 0

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """The answer, whatever it says. Raises LimitReached, Unreachable."""
        kwargs.setdefault("timeout", (limits.SALESFORCE_CONNECT_S, limits.SALESFORCE_READ_S))
        self._spare(str(url))
        for tried in range(1, limits.SALESFORCE_TRIES + 1):
            pause = min(limits.SALESFORCE_PAUSE_S * 2 ** (tried - 1), limits.SALESFORCE_PAUSE_MOST_S)
            try:
                response = super().request(method, url, *args, **kwargs)
            except (NoConnection, Timeout, ChunkedEncodingError) as error:
                trouble: SalesforceTrouble = unreachable(error)
                if tried == limits.SALESFORCE_TRIES or isinstance(error, SSLError):
                    raise trouble from None
            except OSError as error:
                if isinstance(error, RequestException):
                    raise
                raise _unreadable(error) from None
            else:
                self._note(response)
                if response.status_code not in _AGAIN:
                    return response
                trouble = from_answer(response.status_code, None)
                if tried == limits.SALESFORCE_TRIES:
                    return _last(response, trouble)
                pause = _asked_for(response, pause)
                response.close()
            self._tell(f"{str(trouble).partition('; ')[0]}; it is tried again in {pause:.0f} s")
            self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _spare(self, url: str) -> None:
        if self.usage is not None and self.usage.is_low and not url.endswith(_TOKEN):
            raise _nearly(self.usage)

    def _note(self, response: requests.Response) -> None:
        self.calls += 1
        self.usage = usage(response.headers.get("Sforce-Limit-Info", "")) or self.usage


def _last(response: requests.Response, trouble: SalesforceTrouble) -> requests.Response:
    """The last answer. One to a token says nothing of who we are, and simple-salesforce would take it for that."""
    if str(response.url).endswith(_TOKEN):
        response.close()
        raise trouble
    return response


def _unreadable(error: OSError) -> Unreachable:
    """Before a connection is made, certificates are read."""
    do = "REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) has to name a file with certificates in PEM that can be read"
    return Unreachable(f"no certificates to trust: {str(error).partition(': ')[2] or type(error).__name__}; {do}")


def usage(header: str) -> Usage | None:
    """What `api-usage=25/5000; per-app-api-usage=17/250(appName=x)` says of the org."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        used, _, total = value.partition("/")
        if name == "api-usage" and used.isdecimal() and total.isdecimal():
            return Usage(int(used), int(total))
    return None


def _nearly(found: Usage) -> LimitReached:
    return limit_reached(f"{found.used:,} of {found.total:,}; the rest is left for the org's other programs")


def _asked_for(response: requests.Response, pause: float) -> float:
    """The pause that a `Retry-After` in seconds asks for, or else this one."""
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), limits.SALESFORCE_PAUSE_MOST_S) if asked.isdecimal() else pause
