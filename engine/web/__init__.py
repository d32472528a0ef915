"""The service over HTTP. The room below the command line, above the node.

What lives here: reading requests, writing answers, running the server. What may not: deciding, reading profiles or
rule files (the node does), state of its own beyond a connection.

1. `ask.py` turns a request into plain values, or refuses it; `surroundings.py` reads device and place from headers.
2. `decide.py` is `answer(body, …) -> bytes` and the raw ASGI endpoint around it, the hot path.
3. `refusal.py` is every error that a client can see: one table of codes, one form (RFC 9457).
4. `app.py` is the ASGI app for any server; `serve.py` runs it in uvicorn, `workers.py` in several processes.
"""
