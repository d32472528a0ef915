"""Times on the wire, and the time at which an event happened. Pure.

1. A time is text in RFC 3339 as real libraries write it (any number of decimals, `Z` or an offset with or without a
   colon, a blank for the `T`; without a zone it is UTC, a date alone is its midnight), or a number: milliseconds since
   1970, or seconds where it is too small for those; as text, too.
2. **Segment's skew rule**: the sender's clock may be wrong, but by as much when it wrote `timestamp` as when it wrote
   `sentAt`. So an event happened at `receivedAt - (sentAt - timestamp)`; without `sentAt` nothing is corrected.
3. No event is later than `limits.EVENT_AHEAD_S` from when it came: a trait from next year would never change again.
4. Segment takes a message whose time cannot be read, and so is it here: it happened when it came. The same where it
   would lie before 1970, which is what an unset clock says.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from engine.limits import EVENT_AHEAD_S

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNZONED_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - of times that are written with a Z at their end
_MILLISECOND: Final = timedelta(milliseconds=1)
_AHEAD_MS: Final = EVENT_AHEAD_S * 1000
_DIGITS: Final = range(10, 14)  # of seconds or milliseconds since 1970, in this century and the next
_SECONDS_BELOW: Final = 100_000_000_000  # as milliseconds this is 1973, as seconds the year 5138


def moment_ms(value: Any) -> int | None:
    """Milliseconds since 1970 of a time on the wire; None for what is none."""
    kind = type(value)
    if kind is str:
        return _written(value)
    if kind is int or kind is float:
        return int(value * 1000 if abs(value) < _SECONDS_BELOW else value)
    return None


def _written(text: str) -> int | None:
    text = text.strip().upper()
    if text[4:5] != "-":  # Python also reads ISO 8601 without dashes, and a number of milliseconds as the year 1764
        return moment_ms(int(text)) if text.isdecimal() and len(text) in _DIGITS else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def happened_ms(said: Any, sent: Any, received_ms: int) -> int:
    """When an event happened: by its sender's `timestamp` and `sentAt`, and by when it came."""
    event = moment_ms(said)
    if event is None:
        return received_ms
    left = moment_ms(sent)
    return within(event if left is None else received_ms - (left - event), received_ms)


def within(event_ms: int, received_ms: int) -> int:
    """The time of an event, held to what can be."""
    return received_ms if event_ms < 0 else min(event_ms, received_ms + _AHEAD_MS)


def written(moment_ms: int) -> str:
    """RFC 3339 with milliseconds and `Z`, as Segment writes it."""
    return (_UNZONED_EPOCH + timedelta(milliseconds=moment_ms)).isoformat(timespec="milliseconds") + "Z"
