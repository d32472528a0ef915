"""200 clients ask without a pause while a rule file changes every second, one change in three broken.

1. Edition `n` of the rules shows `Edition n` to companies of fewer than `n` people. A client asks as a company of `k`
   people, so every answer is one of two: an edition above `k`, or nothing because the edition is at most `k`.
2. An answer is right if one of the editions that may decide between sending and receiving gives it: written before
   the answer came, and not replaced by another good one for longer than a reload may take when the question was sent.
3. Good editions are written as editors do, in one replacement, and as copying does, in two halves: the first half is
   a valid file with no experience in it. Broken ones are no YAML, no CEL, or fail their own test.
"""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CLIENTS = 200
CHANGE_EVERY_S = 1.0
TAKEN_WITHIN_S = 2.0  # what the service promises (DESIGN 11), on every worker
HALF_SAVED_S = 0.1

RULES = """\
segments:
  few: {{name: Few, when: "traits.employees < {edition}"}}
tests:
  - name: the smallest see it
    given: {{traits: {{employees: 0}}, page: {{url: "https://www.example.com/"}}}}
    expect: {expectation}
experiences:
  site:
    name: Site
    pages: ["https://www.example.com/**"]
    audiences:
      - {{segment: few, control: 0%, variants: [{{key: v, changes: [{{selector: h1, text: "Edition {edition}"}}]}}]}}
"""


def edition(number: int) -> str:
    """A good edition."""
    return RULES.format(edition=number, expectation="{experience: site, segment: few, variant: v}")


def broken(number: int) -> str:
    """A bad one, of three kinds in turn."""
    kinds = [
        edition(number) + "  - [",
        edition(number).replace("employees <", "employees < <"),
        RULES.format(edition=number, expectation="{experience: site, segment: none}"),
    ]
    return kinds[number % len(kinds)]


class History:
    """Which editions may decide when. Times are monotonic seconds; a broken edition is never in it."""

    def __init__(self) -> None:
        self._written = [(1, 0.0)]

    def wrote(self, number: int) -> None:
        """A good edition is complete from now on."""
        self._written.append((number, time.monotonic()))

    def newest(self) -> int:
        """The last good edition."""
        return self._written[-1][0]

    def may_decide(self, sent: float, received: float) -> set[int]:
        """The editions that a right answer can come from."""
        replaced = [written for _, written in self._written[1:]] + [float("inf")]
        return {
            number
            for (number, written), gone in zip(self._written, replaced, strict=True)
            if written < received and sent < gone + TAKEN_WITHIN_S
        }


async def change(file: Path, history: History, ended: asyncio.Event) -> None:
    """A new edition every second, every third one broken, good ones in both ways of saving."""
    number = 1
    while not ended.is_set():
        await asyncio.sleep(CHANGE_EVERY_S)
        number += 1
        if number % 3 == 0:
            save(file, broken(number))
            continue
        if number % 2 == 0:
            save(file, edition(number).split("tests:")[0])
            await asyncio.sleep(HALF_SAVED_S)
        history.wrote(number)
        save(file, edition(number), at_once=bool(number % 2))


def save(file: Path, text: str, *, at_once: bool = False) -> None:
    """As editors do, by replacing the file, or as copying does, by writing into it."""
    target = file.with_suffix(".new") if at_once else file
    target.write_text(text)
    target.replace(file)


async def ask(address: tuple[str, int], people: int, history: History, ended: asyncio.Event) -> tuple[int, list[str]]:
    """One client on one connection: how many answers, and what was wrong with some."""
    body = {"visitorId": f"v{people}", "page": {"url": "https://www.example.com/"}, "traits": {"employees": people}}
    content = json.dumps(body).encode()
    head = b"POST /v1/decide HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    reader, writer = await asyncio.open_connection(*address)
    answers, wrong = 0, []
    while not ended.is_set():
        sent = time.monotonic()
        writer.write(head % len(content) + content)
        status, answer = await _response(reader)
        may_be = history.may_decide(sent, time.monotonic())
        answers += 1
        if status != 200 or not _right(answer["decisions"], people, may_be):
            wrong.append(f"{status} {answer}, of {people} people, editions {may_be}")
    writer.close()
    await writer.wait_closed()
    return answers, wrong


async def _response(reader: asyncio.StreamReader) -> tuple[int, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    return int(head.split()[1]), json.loads(await reader.readexactly(length))


def _right(decisions: list[Any], people: int, may_be: set[int]) -> bool:
    if not decisions:
        return any(number <= people for number in may_be)
    shown = int(decisions[0]["changes"][0]["text"].removeprefix("Edition "))
    return shown in may_be and people < shown


async def load(address: tuple[str, int], file: Path, seconds: float) -> tuple[int, list[str], int]:
    """All clients and the changes, for so long: answers, wrong ones, the last good edition."""
    history, ended = History(), asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, ended.set)
    async with asyncio.TaskGroup() as group:
        group.create_task(change(file, history, ended))
        clients = [group.create_task(ask(address, people % 8, history, ended)) for people in range(CLIENTS)]
    results = [client.result() for client in clients]
    return sum(answers for answers, _ in results), [w for _, wrong in results for w in wrong], history.newest()


@pytest.mark.parametrize("seconds", [4.0, pytest.param(10.0, marks=pytest.mark.long)])
def test_no_request_fails_while_rules_change(
    serve: Callable[..., Any], tmp_path: Path, until: Callable[..., None], seconds: float
) -> None:
    """Every answer is right, every client is answered to the end, and the last good edition decides at last."""
    (tmp_path / "rules").mkdir()
    file = tmp_path / "rules" / "site.yaml"
    file.write_text(edition(1))
    service = serve(tmp_path / "rules", "--workers", "2", "--drain", "0").up()
    host, port = service.url.removeprefix("http://").split(":")
    answers, wrong, newest = asyncio.run(load((host, int(port)), file, seconds))
    assert wrong == []
    assert answers > CLIENTS
    assert newest > 2
    until(lambda: {service.decide(0).edition for _ in range(40)} == {str(newest)})
    assert not any("Traceback" in line or "failed" in line for line in service.log)
