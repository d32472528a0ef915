"""Logs in a bucket: shipped as they are, reached by what AWS's programs obey, and told when they cannot be.

A real S3 stands on the loopback (moto's server), with lines as they are written and Parquet as it is compacted.
"""

import json
import logging
import os
import sys
from contextlib import closing
from datetime import UTC, datetime

import boto3
import duckdb
import pytest
import requests
from moto.server import ThreadedMotoServer
from msgspec import structs
from s3fs import S3File

from engine.events.reading import files
from engine.lift.asking import Asking
from engine.lift.counting import count
from engine.lift.elsewhere import Elsewhere, NotReached, why_not_read
from engine.lift.log import LogUnreadable, opened
from engine.segment.compacting import compact
from engine.segment.erasure import Erasures

NOW = datetime(2026, 11, 25, 13, tzinfo=UTC)
KEYS = {"aws_access_key_id": "an-id", "aws_secret_access_key": "a-secret"}
AT = "2026-11-20T08:00:00.125Z"


@pytest.fixture(scope="module")
def address():
    """Where the S3 of these tests is; it holds the bucket `acme-logs`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with closing(client(f"http://{host}:{port}")) as store:
        store.create_bucket(Bucket="acme-logs")
    yield f"http://{host}:{port}"
    server.stop()


def client(address):
    """Whoever ships."""
    return boto3.client("s3", endpoint_url=address, region_name="us-east-1", **KEYS)


@pytest.fixture
def ship(address, monkeypatch):
    """`ship(folder, "logs/node-1")` copies a folder there, as any program would; the environment says where it is."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["aws_access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["aws_secret_access_key"])
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def ship(folder, to):
        with closing(client(address)) as store:
            for path in (path for path in folder.rglob("*") if path.is_file()):
                store.upload_file(str(path), "acme-logs", f"{to}/{path.relative_to(folder)}")

    return ship


def messages(first, count=3):
    """Conversions and views of that many anonymous visitors."""
    for number in range(first, first + count):
        ids = {"anonymousId": f"a{number}", "userId": None, "timestamp": AT}
        yield {"type": "track", "messageId": f"t{number}", "event": "Paid", "properties": {"n": number}, **ids}
        yield {"type": "page", "messageId": f"p{number}", "padding": os.urandom(2_000).hex(), **ids}


def compacted(folder):
    """The same log as Parquet."""
    compact(folder, files(folder), Erasures(folder.parent / "erasures"))
    return folder


def paid(*folders):
    """Who paid, and their number, by the log in these folders."""
    with opened(folders, NOW) as log:
        rows = log.connection.execute("SELECT anonymous_id, properties FROM events WHERE event = 'Paid'").fetchall()
        return {who: json.loads(properties)["n"] for who, properties in rows}


def test_lines_and_parquet_of_several_nodes(log_of, tmp_path, ship):
    """One shipped its lines, one Parquet, one is here; each folder by name, or all that are there by `*`."""
    ship(log_of(tmp_path / "1" / "events", messages(0)), "logs/node-1")
    ship(compacted(log_of(tmp_path / "2" / "events", messages(10))), "logs/node 2 [b]")
    here = log_of(tmp_path / "3" / "events", messages(20))
    expected = {f"a{number}": number for number in (0, 1, 2, 10, 11, 12, 20, 21, 22)}
    assert paid("s3://acme-logs/logs/node-1", "s3://acme-logs/logs/node 2 [b]/", str(here)) == expected
    assert paid("s3://acme-logs/logs/*", str(compacted(here))) == expected
    with opened(["s3://acme-logs/logs/*", "s3://acme-logs/logs/node-1", str(here), str(tmp_path)], NOW) as log:
        assert log.logs == ("s3://acme-logs/logs/node 2 [b]", "s3://acme-logs/logs/node-1", str(here))


def test_a_copy_counts_nothing_twice(stream, rules, log_of, tmp_path, ship):
    """A node's disk, and what was shipped of it, once before it was compacted and once after."""
    stream.many(300, (0.1, 0.2))
    stream.shown(1, "a-0", personalized=None)
    folder = log_of(tmp_path / "events", stream.messages)
    ship(folder, "twice")
    ship(compacted(folder), "twice")
    asking = Asking(ruleset := rules(), tuple(ruleset.goals.values()), stream.now)
    alone = count([str(folder)], asking)
    both = count([str(folder), "s3://acme-logs/twice"], asking)
    assert both == structs.replace(alone, logs=(str(folder), "s3://acme-logs/twice"))
    assert (sum(line.closed.control.visitors for line in alone.figures), alone.unclear) == (150, 1)


def test_only_what_is_asked_for_comes_over(log_of, tmp_path, ship, monkeypatch):
    """Of a larger Parquet file its few columns, not the messages."""
    folder = compacted(log_of(tmp_path / "events", messages(0, 1_000)))
    ship(folder, "large")
    [file] = folder.glob("parquet/*/*.parquet")
    came = []
    fetch = S3File._fetch_range
    monkeypatch.setattr(S3File, "_fetch_range", lambda *asked: came.append(fetch(*asked)) or came[-1])
    assert len(paid("s3://acme-logs/large")) == 1_000
    assert 0 < sum(map(len, came)) < file.stat().st_size / 10


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("s3://acme-logs/gone", "no events lie there; expected files as in DATA/events: *.ndjson and parquet/day=…/"),
        ("s3://acme-logs/a", "no events lie there; did you mean s3://acme-logs/a/logs/1"),
        ("s3://acme-logs/a/logs/1/*", "no events lie there; expected files"),
        ("s3://no-such-bucket/logs", "there is no bucket `no-such-bucket`"),
        ("s3://", "expected a bucket and a folder in it, such as s3://bucket/logs/node-1"),
        ("file:///var/logs", "a folder on this machine is written without file://"),
        ("nonsense://x", "expected a folder, or s3://bucket/prefix"),
        ("gs://x/logs", "pip install 'mutiny-edge[s3]', and Please install gcsfs"),
    ],
)
def test_where_nothing_lies(log_of, tmp_path, ship, folder, told):
    """The folder, what is not there, what would be right."""
    ship(log_of(tmp_path / "events", messages(0, 1)), "a/logs/1")
    with pytest.raises(LogUnreadable) as error, opened([folder], NOW):
        pass
    assert str(error.value).startswith(f"{folder}: ")
    assert told in str(error.value)


def test_who_may_not(address, ship, monkeypatch):
    """Without credentials, with some that nobody knows, and where nobody answers."""
    requests.post(f"{address}/moto-api/reset-auth", "0", timeout=10)
    try:
        with pytest.raises(NotReached, match=r"access is denied \(.*\); who asks has to be allowed to list the bucket"):
            Elsewhere(duckdb.connect()).files("s3://acme-logs/logs")
    finally:
        requests.post(f"{address}/moto-api/reset-auth", "inf", timeout=10)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(NotReached, match=r"it cannot be reached \(.*127\.0\.0\.1:1.*\); AWS_ENDPOINT_URL says where"):
        Elsewhere(duckdb.connect()).files("s3://acme-logs/logs")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(NotReached, match="there are no credentials for it; set AWS_ACCESS_KEY_ID"):
        Elsewhere(duckdb.connect()).files("s3://acme-logs/logs")


def test_without_the_extra(monkeypatch):
    """What to install."""
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(NotReached, match=r"pip install 'mutiny-edge\[s3\]'$"):
        Elsewhere(duckdb.connect()).files("s3://acme-logs/logs")


def test_what_goes_wrong_while_it_is_read(address, log_of, tmp_path, ship):
    """Taken away after it was listed; no Parquet file at all."""
    folder = compacted(log_of(tmp_path / "events", messages(0, 1)))
    ship(folder, "bad")
    [file] = folder.glob("parquet/*/*.parquet")
    with duckdb.connect() as connection:
        _, [name] = Elsewhere(connection).files("s3://acme-logs/bad")
        assert name == f"s3://acme-logs/bad/{file.relative_to(folder)}"
        with closing(client(address)) as store:
            store.delete_object(Bucket="acme-logs", Key=name.removeprefix("s3://acme-logs/"))
        with pytest.raises(duckdb.Error) as error:
            connection.execute("SELECT * FROM read_parquet($name)", {"name": name})
        assert why_not_read(str(error.value)) == "a file was taken away while it was read; ask again"
    file.write_bytes(b"this is none at all")
    ship(folder, "bad")
    with pytest.raises(LogUnreadable, match=r"/bad/parquet/.*\.parquet: damaged, or no Parquet file"):
        paid("s3://acme-logs/bad")
