"""`/metrics` as Prometheus reads it: of one worker and of several, with the admin key alone."""

import os
import signal
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.request import Request

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_text

from engine.web.metrics.families import FAMILIES

KEY = "an-admin-key-of-some-length"


def asked(service: Any, accept: str = "", key: str = KEY) -> Any:
    """The page."""
    return service.ask(Request(f"{service.url}/metrics", headers={"accept": accept, "authorization": f"Bearer {key}"}))


def numbers(service: Any) -> dict[tuple[str, ...], float]:
    """Every sample, by name and labels."""
    families = read_text(asked(service).body.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@pytest.fixture
def metered(serve: Callable[..., Any], rules: Path, tmp_path: Path) -> Callable[..., Any]:
    """`metered("--workers", "2")`: a service with an admin key, up."""
    key = tmp_path / "keys"
    key.write_text(KEY)
    key.chmod(0o600)
    return lambda *options: serve(rules, "--drain", "0", "--admin-key-file", str(key), *options).up()


def test_both_texts_are_what_their_readers_take(metered: Callable[..., Any]) -> None:
    """Every family of the table with type and help; buckets that add up; nobody else may see them."""
    service = metered()
    for _ in range(64):
        service.decide()
    text, open_ = asked(service), asked(service, "application/openmetrics-text;version=1.0.0")
    assert text.headers["content-type"].startswith("text/plain; version=")
    assert open_.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    for families in (list(read_text(text.body.decode())), list(read_open(open_.body.decode()))):
        found = {family.name: family for family in families}
        assert {name: (family.type, family.documentation) for name, family in found.items()} == {
            family.name: (family.kind, family.help) for family in FAMILIES
        }
        buckets = [s.value for s in found["mutiny_edge_decide_duration_seconds"].samples if s.name.endswith("_bucket")]
        assert buckets == sorted(buckets)
        assert buckets[-1] >= 2
    assert asked(service, key="another").status == 401


def test_who_asks_once_a_connection_is_timed_too(metered: Callable[..., Any]) -> None:
    """One in 32, whoever asks."""
    service = metered()
    before = numbers(service)["mutiny_edge_decide_duration_seconds_count",]
    asked_for = b'{"visitorId": "v1", "page": {"url": "https://www.example.com/"}}'
    for _ in range(128):
        with closing(HTTPConnection(service.url.removeprefix("http://"))) as alone:
            alone.request("POST", "/v1/decide", asked_for, {"content-type": "application/json"})
            assert alone.getresponse().status == 200
    assert numbers(service)["mutiny_edge_decide_duration_seconds_count",] - before in {3, 4}


def test_several_workers_are_one_service(metered: Callable[..., Any], wire: Any, until: Callable[..., None]) -> None:
    """Whoever is asked tells of all; when all of them were replaced, no count is lost."""
    service = metered("--workers", "2")
    until(lambda: wire.all_up(service, 2))
    until(lambda: numbers(service)["mutiny_edge_workers",] == 2)
    for _ in range(40):
        service.decide()
    hits = ("mutiny_edge_decisions_total", "site", "personalized", "small")
    until(lambda: numbers(service)[hits] == 40)
    assert numbers(service)["mutiny_edge_decide_requests_total", "matched"] == 40
    before = set(wire.children(service))
    service.process.send_signal(signal.SIGHUP)
    until(lambda: len(wire.children(service)) == 2 and not before & set(wire.children(service)))
    os.kill(wire.children(service)[0], signal.SIGKILL)
    service.decide()
    until(lambda: numbers(service)[hits] == 41)
    until(lambda: numbers(service)["mutiny_edge_workers",] == 2)
    assert service.end() == 0


def jobs(service: Any) -> dict[str, Any]:
    """The background jobs of whoever is asked, by name."""
    return {job["name"]: job for job in service.get("/readyz").json["jobs"]}


def test_a_disk_that_takes_nothing_hides_no_number(metered: Callable[..., Any], tmp_path: Path, until: Any) -> None:
    """`/metrics` answers from memory, `/readyz` says which job fails and why; and it heals without a restart."""
    service = metered("--workers", "2")
    [folder] = (path for path in (tmp_path / "data" / "run").iterdir() if path.is_dir())

    def in_the_way() -> bool:
        rmtree(folder, ignore_errors=True)
        with suppress(IsADirectoryError):  # it is made anew meanwhile
            folder.write_text("in the way")
        return folder.is_file()

    until(in_the_way)
    until(lambda: folder.name in str(jobs(service)["metrics-share"]["last_error"]))
    service.decide()
    assert asked(service).status == 200
    assert numbers(service)["mutiny_edge_workers",] == 1
    assert jobs(service)["metrics"]["restarts"] == 0
    folder.unlink()
    until(lambda: numbers(service)["mutiny_edge_workers",] == 2)
    assert service.end() == 0
