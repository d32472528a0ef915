"""Several workers: all of them have the same rules, none is missed, none is left behind."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest


def workers_of(service: Any) -> list[int]:
    """The worker processes: children that run Python's spawn."""
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def of_each(service: Any, ask: Callable[[], Any]) -> list[Any]:
    """What every worker answers: the others are stopped meanwhile, since the kernel may prefer one of them for long."""
    pids = workers_of(service)
    answers = []
    for pid in pids:
        others = [other for other in pids if other != pid]
        for other in others:
            os.kill(other, signal.SIGSTOP)
            while state(other) != "T":
                time.sleep(0.001)
        try:
            answers.append(ask())
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)
    return answers


def editions(service: Any) -> list[str]:
    """Which edition each worker answers with."""
    return of_each(service, lambda: service.decide().edition)


def sources(service: Any) -> list[str]:
    """Where each worker has its rules from."""
    return sorted(of_each(service, lambda: service.get("/readyz").json["ruleset"]["source"]))


def state(pid: int) -> str:
    """The kernel's letter for what a process does: `T` is stopped, `Z` waits to be buried; nothing for none."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def alive(pid: int) -> bool:
    """Does the process exist, and is not only waiting to be buried?"""
    return state(pid) not in {"", "Z"}


def catches_ctrl_c(pid: int) -> bool:
    """Has it a handler for SIGINT by now? Python gives itself one."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["SigCgt"], 16) & 1 << signal.SIGINT - 1)


@pytest.fixture
def two(serve: Callable[..., Any], rules: Path, until: Callable[..., None]) -> Any:
    """A service of two workers, both up."""
    service = serve(rules, "--workers", "2", "--drain", "0").up()
    until(lambda: len(workers_of(service)) == 2)
    assert sources(service) == ["files", "files"]
    return service


def test_every_worker_takes_a_valid_change_within_two_seconds(
    two: Any, rules: Path, rules_of: Callable[[object], str]
) -> None:
    """Two seconds after the file was written nobody gets the old edition, and nobody got anything else."""
    (rules / "site.yaml").write_text(rules_of(2))
    written = time.monotonic()
    while time.monotonic() < written + 2:
        assert two.decide().edition in {"1", "2"}
    assert editions(two) == ["2", "2"]


def test_no_worker_takes_a_broken_change(
    two: Any, rules: Path, rules_of: Callable[[object], str], until: Callable[..., None]
) -> None:
    """Each says so by itself, with file and line."""
    (rules / "site.yaml").write_text(rules_of(2).replace("< 50", "<< 50"))

    def every_worker_says_so() -> bool:
        errors = of_each(two, lambda: two.get("/readyz").json["last_error"])
        return all(error is not None and error["line"] == 2 for error in errors)

    until(every_worker_says_so)
    assert editions(two) == ["1", "1"]


def test_a_worker_that_starts_while_files_are_broken_serves_the_last_good_ones(
    two: Any, rules: Path, rules_of: Callable[[object], str], until: Callable[..., None]
) -> None:
    """A crash at the wrong moment costs nothing; mended files are taken by all."""
    (rules / "site.yaml").write_text("segments: [")
    until(lambda: two.get("/readyz").json["last_error"] is not None)
    killed = workers_of(two)[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(workers_of(two)) == 2 and killed not in workers_of(two))
    until(lambda: sources(two) == ["files", "last good"])
    assert editions(two) == ["1", "1"]
    assert any("LAST GOOD" in line for line in two.log)
    (rules / "site.yaml").write_text(rules_of(2))
    until(lambda: sources(two) == ["files", "files"])
    until(lambda: editions(two) == ["2", "2"])


def test_sigterm_ends_all_workers(two: Any) -> None:
    """With exit code 0, and no process left."""
    pids = workers_of(two)
    assert two.end() == 0
    assert not any(alive(pid) for pid in pids)
    assert [json.loads(line)["event"] for line in two.log[-2:]] == ["SIGTERM: it stops without draining", "stopped"]


def test_ctrl_c_before_a_worker_is_up_is_quiet(
    serve: Callable[..., Any], rules: Path, until: Callable[..., None]
) -> None:
    """It is handed on to a worker that has begun as any Python, and would print a traceback of what it imports."""
    service = serve(rules, "--workers", "2", "--drain", "0")
    until(lambda: any(catches_ctrl_c(pid) for pid in workers_of(service)))
    assert service.end(signal.SIGINT) == 0
    events = [json.loads(line)["event"] for line in service.log]
    assert events == ["SIGINT: it stops without draining", "stopped"]


def test_workers_end_with_their_parent(two: Any, until: Callable[..., None]) -> None:
    """Also if it had no chance to tell them: nobody is left behind with the port."""
    pids = workers_of(two)
    two.end(signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in pids))


def test_broken_rules_end_the_first_start(serve: Callable[..., Any], rules: Path) -> None:
    """Before a worker is made."""
    (rules / "site.yaml").write_text("segments: [")
    service = serve(rules, "--workers", "2")
    assert service.ended() != 0
    assert any("site.yaml:1:" in line for line in service.log)


def test_who_is_replaced_sends_nobody_away(
    serve: Callable[..., Any], rules: Path, wire: Any, until: Callable[..., None]
) -> None:
    """A load balancer that keeps its connection to a worker asks whether the service is ready, and it is."""
    service = serve(rules, "--workers", "2", "--drain", "2").up()
    until(lambda: wire.all_up(service, 2))

    async def ask() -> Any:
        kept = await wire.Wire.open(wire.at(service.url))
        asked_first = await kept.ask(wire.get("/readyz"))
        service.process.send_signal(signal.SIGHUP)
        while not (said := await kept.ask(wire.get("/readyz"))).closes:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.02)
        await kept.close()
        return asked_first, said

    first, last = asyncio.run(ask())
    assert (last.status, json.loads(last.body)["ready"]) == (200, True)
    assert json.loads(first.body)["process"] == json.loads(last.body)["process"] != service.process.pid
    assert service.end(signal.SIGINT) == 0
