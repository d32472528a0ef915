"""What analytics.js asks before it sends: which destinations there are, and where they live. Pure.

1. The browser library loads `GET <cdnURL>/v1/projects/<write key>/settings`. This is the least that makes it send, and
   send here: one destination, `Segment.io`, and no metrics of the library's own.
2. Without the key `Segment.io` the library would ignore, silently, any `apiHost` that the page itself gives.
"""

import msgspec
import re2

from engine.segment.reasons import Unacceptable

_HOST = re2.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


def settings(write_key: str, host: str, *, encrypted: bool = True) -> bytes:
    """The settings that point a page with this key at `host` (a name, perhaps with a port). Raises Unacceptable."""
    if not _HOST.fullmatch(host):
        raise Unacceptable("bad-host", "Host: expected a name and perhaps a port")
    segment = {"apiKey": write_key, "apiHost": f"{host}/v1", "protocol": "https" if encrypted else "http"}
    return msgspec.json.encode({"integrations": {"Segment.io": segment}, "metrics": {"sampleRate": 0}})
