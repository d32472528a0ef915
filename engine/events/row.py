"""One event of the archive as a row: the columns of its Parquet files. Pure.

What lives here: the columns, and the day by which they are kept apart. What may not: files, SQL (`parquet`), what a
message means: whoever understands it makes the row.
"""

from datetime import date
from typing import Final

from msgspec import Struct

_DAY_MS: Final = 86_400_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


class Row(Struct, omit_defaults=True):
    """One event. `received` and `time` are milliseconds since 1970 UTC; in the file `time` is a TIMESTAMP, of UTC.

    `event` and `properties` (JSON) are those of a track; `message` is the whole of it, JSON.
    """

    received: int
    source: str
    time: int
    type: str
    message_id: str
    message: str
    anonymous_id: str | None = None
    user_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    visitor_id: str | None = None
    event: str | None = None
    properties: str | None = None


def day_of(received_ms: int) -> str:
    """The UTC day, as folders are named after it."""
    return date.fromordinal(_EPOCH_DAY + received_ms // _DAY_MS).isoformat()
