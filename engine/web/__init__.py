"""The service over HTTP. The room below the command line, above the node.

What lives here: reading requests, writing answers, running the server. What may not: deciding, reading profiles or
rule files (the node does), state of its own beyond a connection.

1. `app.py` holds the one table of addresses, with who may call each; `door.py` is what all of them have in common, and
   `admin.py` the keys of admins.
2. `request.py` reads a body within its bounds; `ask.py` turns it into plain values, or refuses it; `surroundings.py`
   reads device and place from headers.
3. `decide.py` is the hot path, with `answer(body, …) -> bytes` for whoever has a body; `explain.py` tells why, and
   `profiles.py` what is known of whom; a deletion there is in the log of `audit.py` first.
4. `ingest.py` is where Segment's libraries and webhooks send to. `client.py` gives out the browser's half, `client.js`;
   `preview.py` signs and reads links that show one variant.
5. `refusal.py` is every error that a client can see: one table of codes, and its two forms (RFC 9457, Segment's).
6. The app is for any ASGI server; `serve.py` runs it in uvicorn, `workers.py` in several processes.
7. `guard.py` is HTTP on one connection, with a limit on everything that a client may do (`bounds.py` by address,
   `lastwords.py` what it hears beyond them); `clients.py` is the clock of its deadlines; `listening.py` shuts the door.
8. `lane.py` stands in front of it: a usual request for a decision is answered there, without the app.
9. `openapi/` says of every address what it takes and answers, `docs/` makes a page of that; `described.py` serves both,
   and lets no address be served of which nothing is said. `kept.py` is for what browsers may keep, scripts too.
"""
