"""The admin keys: what a key file may hold, what is said of one that cannot be taken, and what the log hears."""

import logging
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import limits
from engine.web.admin import Gate, Keys, KeysUnusable, read_keys
from engine.web.refusal import Refused
from engine.web.request import Request

OLD, NEW = "an-old-key-0123456789", "a.new~key_0123456789+/=="
PRIVATE, READABLE = 0o600, 0o644


def digest(key: str) -> bytes:
    """The hash of a key."""
    return sha256(key.encode()).digest()


def hashed(key: str) -> str:
    """A key as a file may hold it for everybody to see."""
    return f"sha256:{digest(key).hex()}"


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """`file(text, mode)`: a key file."""

    def file(text: str | bytes, mode: int = PRIVATE) -> Path:
        path = tmp_path / "admin-keys"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    return file


async def nothing() -> Any:
    """A body that nobody may read."""
    raise AssertionError("the body was read")


def asked(method: str = "GET", **headers: bytes) -> Request:
    """A request with these headers; `_` for `-`."""
    given = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return Request(method, given, b"", "192.0.2.1", nothing)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (OLD, [OLD]),
        (f"{OLD}\n", [OLD]),
        (f"\r\n  {OLD}  \r\n\r\n{NEW}\r\n", [OLD, NEW]),
        (f"# of the console\n{OLD}  # until March\n#{NEW}\n", [OLD]),
        (f"\t{OLD}\t#{NEW}\n# {NEW} # old\n", [OLD]),
        (f"{hashed(OLD)} # old\n{NEW}", [OLD, NEW]),
        (f"{hashed(OLD).upper().replace('SHA', 'sha')}\n{hashed(NEW)}\n", [OLD, NEW]),
        ("x" * limits.ADMIN_KEY_CHARS, ["x" * limits.ADMIN_KEY_CHARS]),
        ("x" * limits.ADMIN_KEY_CHARS_LEAST, ["x" * limits.ADMIN_KEY_CHARS_LEAST]),
    ],
)
def test_what_a_key_file_may_hold(file: Any, text: str, keys: list[str]) -> None:
    """One key or two, as they are or hashed, with comments and blank lines."""
    assert read_keys(file(text)) == Keys(tuple(map(digest, keys)))


def test_a_file_of_hashes_may_be_read_by_anybody(file: Any) -> None:
    """They open nothing."""
    assert read_keys(file(f"{hashed(OLD)}\n{hashed(NEW)}\n", READABLE)) == Keys((digest(OLD), digest(NEW)))


@pytest.mark.parametrize(
    ("text", "mode", "line", "code"),
    [
        ("", PRIVATE, 1, "admin-key-missing"),
        ("# nothing yet\n\n", PRIVATE, 1, "admin-key-missing"),
        ("sesame\n", PRIVATE, 1, "admin-key-length"),
        ("\n" + "x" * (limits.ADMIN_KEY_CHARS_LEAST - 1), PRIVATE, 2, "admin-key-length"),
        ("x" * (limits.ADMIN_KEY_CHARS + 1), PRIVATE, 1, "admin-key-length"),
        (f"{OLD} {NEW}\n", PRIVATE, 1, "admin-key-characters"),
        (f'"{OLD}"\n', PRIVATE, 1, "admin-key-characters"),
        (f"{OLD}#old\n", PRIVATE, 1, "admin-key-characters"),
        (f"key: {OLD}\n", PRIVATE, 1, "admin-key-characters"),
        (f"{hashed(OLD)}00\n", PRIVATE, 1, "admin-key-hash"),
        (f"{OLD}\nsha256:{OLD}\n", PRIVATE, 2, "admin-key-hash"),
        (f"sha256:{digest(OLD).hex()[:-1]}g\n", PRIVATE, 1, "admin-key-hash"),
        (f"{hashed(OLD)}\n{hashed('').upper().replace('SHA', 'sha')}\n", READABLE, 2, "admin-key-empty"),
        (f"{OLD}\n", READABLE, 1, "admin-key-readable"),
        (f"{hashed(NEW)}\n{OLD}\n", 0o640, 2, "admin-key-readable"),
        (f"{OLD}\n{NEW}\n{OLD}x\n", PRIVATE, 1, "admin-keys-too-many"),
        (f"{OLD}é\n", PRIVATE, 1, "admin-key-file"),
        (b"\x00\xff\xfe", PRIVATE, 1, "admin-key-file"),
        (f"# {'x' * limits.ADMIN_KEY_FILE_BYTES}\n{OLD}\n", PRIVATE, 1, "admin-key-file"),
    ],
)
def test_a_file_that_cannot_be_taken_is_told(file: Any, text: str | bytes, mode: int, line: int, code: str) -> None:
    """At its line, with what would be right, and without the key."""
    path = file(text, mode)
    with pytest.raises(KeysUnusable) as unusable:
        read_keys(path)
    [problem] = unusable.value.problems
    assert (problem.place.file, problem.place.line, problem.code) == (path.as_posix(), line, code)
    assert f"{path}:{line}:" in str(unusable.value)
    assert problem.hint
    for word in (OLD, NEW, "sesame"):
        assert word not in str(unusable.value)


def test_all_problems_of_a_file_are_told_at_once(file: Any) -> None:
    """Each at its line."""
    with pytest.raises(KeysUnusable) as unusable:
        read_keys(file("short\nsha256:1\n"))
    assert [problem.place.line for problem in unusable.value.problems] == [1, 2]


def test_a_missing_file_is_the_machines_word(tmp_path: Path) -> None:
    """The command line tells it like any file that cannot be had."""
    with pytest.raises(FileNotFoundError):
        read_keys(tmp_path / "nowhere")


def test_keys_are_kept_as_hashes_alone(file: Any) -> None:
    """What is left in memory after reading a plain key does not hold it."""
    keys = read_keys(file(OLD))
    assert OLD not in repr(keys)
    assert keys.fingerprints() == digest(OLD).hex()[:8]


@given(
    key=st.binary(max_size=300) | st.sampled_from([OLD.encode(), NEW.encode(), digest(OLD), digest(OLD).hex().encode()])
)
def test_only_the_keys_themselves_are_keys(key: bytes) -> None:
    """Any other bytes are not, nor is a hash of one; a key is told by its fingerprint."""
    fingerprint = digest(key.decode("latin-1")).hex()[:8] if key in {OLD.encode(), NEW.encode()} else None
    assert Keys((digest(OLD), digest(NEW))).hold(key) == fingerprint


def test_a_hash_of_something_longer_than_a_key_opens_nothing() -> None:
    """What is too long for a key is cut before it is hashed, and never taken for one."""
    most = "x" * limits.ADMIN_KEY_CHARS
    assert Keys((digest(most),)).hold(most.encode())
    assert not Keys((digest(most),)).hold(most.encode() + b"x")


def code_of(gate: Gate, request: Request) -> str:
    """How the gate refuses."""
    with pytest.raises(Refused) as refused:
        gate.check(request)
    return refused.value.code


@pytest.mark.parametrize("key", ["", "x", "x" * (limits.ADMIN_KEY_CHARS_LEAST - 1)])
def test_what_is_too_short_for_a_key_opens_nothing(key: str) -> None:
    """Whatever hash stands in the file."""
    assert code_of(Gate(Keys((digest(key),))), asked(authorization=f"Bearer {key}".encode())) == "unauthorized"


def test_refusals_are_told_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    """One line for many: what, from where, how many; nothing of what was shown."""
    gate = Gate(Keys((digest(OLD),)))
    shown = f"Bearer {NEW}".encode()
    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            assert code_of(gate, asked(authorization=shown)) == "unauthorized"
    [line] = caplog.messages
    assert line == "refused unauthorized, from 192.0.2.1 (1 so far)"
    assert NEW not in line


def test_a_right_key_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """The log is for what goes wrong."""
    with caplog.at_level(logging.DEBUG):
        Gate(Keys((digest(OLD),))).check(asked("POST", authorization=f"Bearer {OLD}".encode(), sec_fetch_site=b"none"))
    assert caplog.messages == []


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_mode_is_that_of_what_a_link_leads_to(file: Any, tmp_path: Path) -> None:
    """A mounted secret is a link."""
    link = tmp_path / "link"
    link.symlink_to(file(OLD, READABLE))
    with pytest.raises(KeysUnusable):
        read_keys(link)
