"""Real servers for the tests: Valkey or Redis, each a process of its own on a free port, in a folder that goes with it.

1. `Servers` starts them: `one`, `replica`, `cluster`, `sentinel`. Options are lines of the server's configuration file.
   Nothing is kept on disk but where `aof=True` asks for it. Without a server on this machine the test is skipped and
   says so; with CI=true it fails.
2. A `Server` can die (`kill`: SIGKILL), hang (`stop`: SIGSTOP, `resume`: SIGCONT) and come back on the same port with
   the same options and folder (`restart`). `ask` puts one command to it, as its operator.
3. **Nothing outlives the tests.** `close` kills all; where the tests themselves are killed, a shell that waits at the
   end of a pipe does.
4. What starts is waited for until it answers; no test waits for a length of time.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
import redis
import trustme
from msgspec import Struct
from redis.backoff import NoBackoff
from redis.retry import Retry

HOST: Final = "127.0.0.1"
PATIENCE_S: Final = 60.0  # no test measures time; this only ends what hangs
PROGRAMS: Final = ("valkey-server", "redis-server")
SLOTS: Final = 16_384
SERVICE: Final = "edge"  # the name under which a sentinel knows its primary
_OPERATOR: Final = "operator"
_SECRET: Final = "of-the-tests"
_HURRY: Final = ("INFO-PERIOD", 50, "PING-PERIOD", 50, "ASK-PERIOD", 50, "PUBLISH-PERIOD", 50)  # in ms; else 10 s
_WATCHER: Final = "while read pid; do pids=\"$pids $pid\"; done; trap '' TERM; kill -9 $pids 2>/dev/null"


def program() -> str:
    """The server of this machine; where there is none, the test ends here."""
    for name in PROGRAMS:
        if found := shutil.which(name):
            return found
    reason = f"neither {' nor '.join(PROGRAMS)} is here: apt-get install redis-server"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        return int(listening.getsockname()[1])


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for something that comes by itself."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"in vain: {what}", pytrace=False)
        time.sleep(0.005)


class Server:
    """One process, its port and its folder."""

    def __init__(self, folder: Path, options: Iterable[str], watch: Callable[[int], None], *, tls: Path | None) -> None:
        """Started by `Servers`."""
        self.folder = folder
        self.port = free_port()
        self.socket = folder / "socket"
        self.authority = None if tls is None else tls / "ca.pem"
        self._program = program()
        self._watch = watch
        listening = [f"port {self.port}"]
        if tls is not None:
            named = (("tls-cert-file", "server.pem"), ("tls-key-file", "server.key"), ("tls-ca-cert-file", "ca.pem"))
            listening = ["port 0", f"tls-port {self.port}", "tls-auth-clients no"]
            listening += [f"{name} {tls / file}" for name, file in named]
        lines = [*listening, f"bind {HOST}", f"dir {folder}", f"unixsocket {self.socket}", "loglevel notice", *options]
        self._configuration = folder / "server.conf"
        self._configuration.write_text("\n".join([*lines, ""]))
        self.is_sentinel = any(line.startswith("sentinel ") for line in lines)
        self._process: subprocess.Popen[bytes] | None = None
        self.restart()

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{HOST}:{self.port}"

    def url(self, user: str = "", password: str = "", db: int | None = None) -> str:
        """What `--store` takes."""
        who = f"{user}:{password}@" if user or password else ""
        database = "" if db is None else f"/{db}"
        return f"{'redis' if self.authority is None else 'rediss'}://{who}{self.address}{database}"

    def restart(self) -> None:
        """Start it, for the first time or again, and wait until it listens."""
        if self._process is not None:
            self.kill()
        command = [self._program, str(self._configuration), *(["--sentinel"] if self.is_sentinel else [])]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._watch(self._process.pid)
        until(self._listens, f"{self.address} listens")

    def add(self, *options: str) -> None:
        """More lines for its configuration, from its next start on."""
        with self._configuration.open("a") as file:
            file.writelines(f"{line}\n" for line in options)

    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "log").read_text()

    def kill(self) -> None:
        """It dies at once, with all that is in its memory."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """It hangs: connections are taken by the kernel, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on where it hung."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *command: Any) -> Any:
        """The answer to one command, over the socket in its folder, as somebody who may do everything."""
        known = {"username": _OPERATOR, "password": _SECRET, "retry": Retry(NoBackoff(), 0), "driver_info": None}
        with closing(redis.Redis(unix_socket_path=str(self.socket), **known)) as client:
            return client.execute_command(*command)

    def info(self, section: str) -> dict[str, Any]:
        """One section of INFO."""
        answer: dict[str, Any] = self.ask("INFO", section)
        return answer

    def _listens(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            pytest.fail(f"{self._program} ended at once:\n{self.log()}", pytrace=False)
        try:
            self.ask("PING")
        except (redis.BusyLoadingError, redis.exceptions.MasterDownError):
            return True
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        return True


class Cluster(Struct):
    """Three primaries that share the slots evenly; `replicas[n]` follows `primaries[n]`."""

    primaries: list[Server]
    replicas: list[Server]

    def url(self) -> str:
        """What `--store` takes."""
        return "redis+cluster://" + ",".join(server.address for server in self.primaries)

    def owner(self, slot: int) -> Server:
        """Who has this slot, if none was moved."""
        return self.primaries[slot * len(self.primaries) // SLOTS]

    def flush(self) -> None:
        """Empty it."""
        for server in self.primaries:
            server.ask("FLUSHALL")


class Servers:
    """Starts servers, and ends all of them when it is closed."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self._folder = Path(tempfile.mkdtemp(prefix="mutiny-valkey-"))
        self._numbers = count(1)
        self._started: list[Server] = []
        self._watcher = subprocess.Popen(["/bin/sh", "-c", _WATCHER], stdin=subprocess.PIPE, start_new_session=True)

    def close(self) -> None:
        """Kill all of them, and remove their folders."""
        for server in self._started:
            server.kill()
        self._watcher.kill()
        self._watcher.communicate()
        shutil.rmtree(self._folder)

    def one(self, *options: str, aof: bool = False, tls: bool = False) -> Server:
        """A server of its own; with `aof` every write is on disk before it is answered."""
        kept = ["appendonly yes", "appendfsync always"] if aof else ["appendonly no"]
        users = [f"user {_OPERATOR} on >{_SECRET} ~* &* +@all"]
        return self._start([*kept, 'save ""', "repl-diskless-sync-delay 0", *users, *options], tls=tls)

    def replica(self, of: Server, *options: str, aof: bool = False) -> Server:
        """A server that follows another one, once it has all that the other had."""
        who = [f"masteruser {_OPERATOR}", f"masterauth {_SECRET}"]
        server = self.one(f"replicaof {HOST} {of.port}", *who, *options, aof=aof)
        until(lambda: _follows(server), "the replica follows")
        return server

    def sentinel(self, primary: Server, quorum: int = 1, down_after_ms: int = 500) -> Server:
        """A sentinel over `primary` and whatever follows it by now, which it knows as `SERVICE`."""
        said = [
            f"sentinel monitor {SERVICE} {HOST} {primary.port} {quorum}",
            f"sentinel auth-user {SERVICE} {_OPERATOR}",
            f"sentinel auth-pass {SERVICE} {_SECRET}",
            f"sentinel down-after-milliseconds {SERVICE} {down_after_ms}",
            f"sentinel failover-timeout {SERVICE} 2000",
        ]
        server = self._start([f"user {_OPERATOR} on >{_SECRET} ~* &* +@all", *said])
        server.ask("SENTINEL", "DEBUG", *_HURRY)
        following = int(primary.info("replication")["connected_slaves"])
        until(lambda: _replicas_known(server) == following, "the sentinel sees all replicas")
        return server

    def cluster(self, *options: str, replicas: int = 0) -> Cluster:
        """Three primaries, and so many replicas, the first of the first primary."""
        nodes = [self._node(*options) for _ in range(3 + replicas)]
        primaries, others = nodes[:3], nodes[3:]
        for number, server in enumerate(primaries):
            first, last = (-(-place * SLOTS // 3) for place in (number, number + 1))
            server.ask("CLUSTER", "ADDSLOTS", *range(first, last))
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for server in nodes[1:]:
            nodes[0].ask("CLUSTER", "MEET", HOST, server.port, _bus(server))
        for server in nodes:
            until(lambda server=server: _knows(server, len(nodes)), "the nodes meet")
        for number, server in enumerate(others):
            server.ask("CLUSTER", "REPLICATE", _id(primaries[number % 3]))
        for server in others:
            until(lambda server=server: _follows(server), "the replica follows")
        for server in nodes:
            until(lambda server=server: server.ask("CLUSTER", "NODES").count(b"slave") == replicas, "all know of it")
        return Cluster(primaries, others)

    def _node(self, *options: str) -> Server:
        who = [f"masteruser {_OPERATOR}", f"masterauth {_SECRET}"]
        bus = [f"cluster-port {free_port()}", "cluster-enabled yes", "cluster-node-timeout 1000"]
        return self.one(*bus, *who, *options)

    def _start(self, options: list[str], *, tls: bool = False) -> Server:
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        server = Server(folder, options, self._watch, tls=self._certificates() if tls else None)
        self._started.append(server)
        return server

    def _watch(self, pid: int) -> None:
        assert self._watcher.stdin is not None
        self._watcher.stdin.write(f"{pid}\n".encode())
        self._watcher.stdin.flush()

    def _certificates(self) -> Path:
        folder = self._folder / "tls"
        if not folder.exists():
            folder.mkdir()
            authority = trustme.CA()
            authority.cert_pem.write_to_path(folder / "ca.pem")
            issued = authority.issue_cert(HOST, "localhost")
            issued.private_key_pem.write_to_path(folder / "server.key")
            issued.cert_chain_pems[0].write_to_path(folder / "server.pem")
        return folder


def fail_over(sentinel: Server, before: Server) -> None:
    """Have a replica take over from `before`, its primary until now, and wait until it has."""

    def is_over() -> bool:
        if int(sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1]) != before.port:
            return True
        with suppress(redis.ResponseError):  # one is under way, or nothing was heard of the replica lately
            sentinel.ask("SENTINEL", "FAILOVER", SERVICE)
        return False

    until(is_over, "a replica is promoted")
    until(lambda: _is_replica(before), "the old primary follows it")


def _bus(server: Server) -> int:
    """The port on which nodes of a cluster speak to each other."""
    return int(server.ask("CONFIG", "GET", "cluster-port")[b"cluster-port"])


def _id(server: Server) -> str:
    return str(server.ask("CLUSTER", "MYID").decode())


def _replicas_known(sentinel: Server) -> int:
    return int(sentinel.ask("SENTINEL", "MASTER", SERVICE)[b"num-slaves"])


def _is_replica(server: Server) -> bool:
    try:
        return bool(server.info("replication")["role"] == "slave")
    except redis.ConnectionError:  # when the role changes, all its connections are closed
        return False


def _follows(server: Server) -> bool:
    return bool(server.info("replication").get("master_link_status") == "up")


def _knows(server: Server, nodes: int) -> bool:
    lines = server.ask("CLUSTER", "INFO").decode().split()
    return {"cluster_state:ok", f"cluster_slots_ok:{SLOTS}", f"cluster_known_nodes:{nodes}"} <= set(lines)
