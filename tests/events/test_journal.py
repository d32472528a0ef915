"""A note is there as a whole or not at all, whatever happens while it is written."""

import os
from errno import ENOSPC
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events.disk import DISK, opened
from engine.events.journal import put, whole


def journal(tmp_path: Path, note: bytes) -> bytes:
    """What stands in the file."""
    with opened(DISK, tmp_path / "journal", os.O_RDWR | os.O_CREAT | os.O_TRUNC) as fd:
        put(tmp_path, fd, note, DISK)
    return (tmp_path / "journal").read_bytes()


@pytest.mark.parametrize("note", [b"", b"\0\0\0\0", b"what is being done"])
def test_what_was_put_is_read(tmp_path: Path, note: bytes) -> None:
    """Also a note that says nothing, which is not none."""
    assert whole(journal(tmp_path, note)) == note
    assert whole(b"") is None


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_part_is_none(tmp_path_factory: pytest.TempPathFactory, note: bytes, data: st.DataObject) -> None:
    """Cut anywhere, or with any byte changed."""
    written = journal(tmp_path_factory.getbasetemp(), note)
    assert whole(written[: data.draw(st.integers(0, len(written) - 1))]) is None
    at = data.draw(st.integers(0, len(written) - 1))
    other = bytes([written[at] ^ data.draw(st.integers(1, 255))])
    assert whole(written[:at] + other + written[at + 1 :]) is None


def test_a_disk_that_fails_leaves_it_empty(tmp_path: Path, faults: ModuleType) -> None:
    """Whichever call it is."""
    for at in count(1):
        failing = faults.Faults(at, ENOSPC)
        with opened(DISK, tmp_path / "journal", os.O_RDWR | os.O_CREAT | os.O_TRUNC) as fd:
            try:
                put(tmp_path, fd, b"note", failing.disk)
            except OSError:
                assert os.fstat(fd).st_size == 0
        if not failing.happened:
            break
    assert at > 3
    assert whole((tmp_path / "journal").read_bytes()) == b"note"
