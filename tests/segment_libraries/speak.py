"""What a program on a server says with segment-analytics-python; the version is the one on its path.

`speak.py calls|steady SETTINGS`, settings as JSON: host, key, name, and options of the library. `calls` makes each call
and then enough for several batches; `steady` sends until `stop` stands on stdin. Both flush, print what the library
took and gave up, one JSON object, and end.
"""

import json
import sys
import threading
import time

from segment.analytics import Client
from segment.analytics.version import VERSION

sent: dict[str, str] = {}
errors: list[str] = []


def keep(answer: tuple[bool, dict[str, str]]) -> None:
    """Note what the library has taken into its queue."""
    taken, message = answer
    assert taken
    sent[message["messageId"]] = message["type"]


def calls(client: Client, name: str) -> None:
    """A person whose plan changes, their company, who they were before, and several batches of what they do."""
    user = f"user-{name}"
    keep(client.identify(user, {"plan": "trial", "firstName": "Ada", "mutinyVisitorId": f"visitor-{name}"}))
    time.sleep(0.02)  # the newest wins by the millisecond
    keep(client.identify(user, {"plan": "pro"}))
    keep(client.group(user, f"group-{name}", {"industry": "SaaS"}))
    keep(client.alias(f"anonymous-{name}", user))
    keep(client.page(user, "Docs", "Pricing", {"url": "https://www.example.com/pricing"}))
    keep(client.track(user, "Signed Up", {"plan": "pro"}))
    keep(client.track(anonymous_id=f"anonymous-{name}", event="Seen"))
    for number in range(250):
        keep(client.track(user, "Read", {"number": number}))


def steady(client: Client, name: str) -> None:
    """Twenty events a second, until stdin says stop."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    while not stop.wait(0.05):
        keep(client.track(f"user-{name}", "Read", {"number": len(sent)}))


def main() -> None:
    """Speak, flush, tell."""
    what, settings = sys.argv[1], json.loads(sys.argv[2])
    client = Client(
        settings["key"],
        host=settings["host"],
        on_error=lambda error, batch: errors.append(f"{error!r}, and {len(batch)} dropped"),
        **settings["options"],
    )
    {"calls": calls, "steady": steady}[what](client, settings["name"])
    client.shutdown()
    print(json.dumps({"version": VERSION, "sent": sent, "errors": errors}))


main()
