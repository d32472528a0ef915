"""`mutiny-edge decide`: the wire answer to one page view, without a server.

1. The options become the body that a page would send, and the very function behind `POST /v1/decide` answers it: same
   checks, same bytes; what it refuses it tells of the option.
2. Stored visitors are looked up if there are any. A question writes nothing: no store is made, and the ruleset is not
   kept as the last good one of a service.
3. On a terminal the answer is laid out for people; in a pipe it is the bytes of the wire, in one line.
"""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from engine.cli import options, view
from engine.cli.screen import fail, for_people
from engine.cli.trouble import told
from engine.node import Node
from engine.settings import Settings
from engine.web.decide import answer
from engine.web.refusal import Refused
from engine.web.surroundings import Proxies

EPILOG = """\b
Examples:
  mutiny-edge decide --visitor ada --url https://www.example.com/
  mutiny-edge decide --visitor ada --url https://www.example.com/ \\
      --traits '{"employees": 12, "industry": "SaaS"}' --count 3 --country DE
"""


@click.command(epilog=EPILOG)
@view.of(required=True)
@options.rules
@options.data
@options.store
def command(rules: Path, data: Path, store: str | None, **asked: Any) -> None:
    """Answer one page view, without a server.

    Prints what `POST /v1/decide` would answer: from the rule files and, if there is a data folder, what is stored of
    the visitor.
    """
    headers, body = view.headers(asked["country"]), view.body(asked)
    with opened(options.settings(rules=rules, data=data, store=store)) as node:
        try:
            answered = answer(body, node, headers, None, Proxies(("*",)), names=view.NAMES)
        except Refused as refused:
            fail(f"{refused.detail} [{refused.code}]")
    if for_people():
        click.echo(json.dumps(json.loads(answered), indent=2, ensure_ascii=False))
    else:
        click.echo(answered)


@contextmanager
def opened(settings: Settings) -> Iterator[Node]:
    """A node for one question, which writes nothing."""
    with told():
        node = Node(settings, read_only=True)
        with closing(node.store):
            yield node
