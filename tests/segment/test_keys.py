"""A service at work knows whose key it is, hears of every change, and loses nothing to a broken file."""

import os
from pathlib import Path
from shutil import copytree

import pytest

from engine.segment.keys import Keys
from engine.segment.sources import SOURCES_FILE, WEBHOOKS_FILE, Sources


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Of an empty data folder."""
    return Sources(tmp_path)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Of the same folder, from before there was anything in it."""
    return Keys(tmp_path)


def test_without_a_file_there_are_no_sources(keys: Keys) -> None:
    """And that is no trouble."""
    assert (keys.source_of(b"x"), keys.source_of(b""), keys.kind_of("x"), keys.webhook_secrets("x")) == (
        None,
        None,
        None,
        (),
    )
    assert keys.trouble is None


def test_every_change_is_known_at_once(keys: Keys, sources: Sources) -> None:
    """Added, rotated twice, removed."""
    first = sources.add("website", "website").encode()
    other = sources.add("shop", "product").encode()
    assert (keys.source_of(first), keys.source_of(other), keys.kind_of("shop")) == ("website", "shop", "product")
    second = sources.rotate("website").encode()
    assert keys.source_of(first) == keys.source_of(second) == "website"
    sources.rotate("website")
    assert (keys.source_of(first), keys.source_of(second)) == (None, "website")
    sources.remove("website")
    assert (keys.source_of(second), keys.source_of(other)) == (None, "shop")
    assert keys.trouble is None


def test_files_that_nodes_share(tmp_path: Path) -> None:
    """Links into a folder that is swapped whole, as Kubernetes does with a Secret: known at once, by every node."""
    made = Sources(tmp_path / "made")
    first = made.add("website", "website").encode()
    secret = made.rotate_webhook("website").encode()
    shared = tmp_path / "shared"
    shared.mkdir()
    swap(tmp_path / "made", shared, "1")
    nodes = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for file in (SOURCES_FILE, WEBHOOKS_FILE):
            (tmp_path / name / file).symlink_to(shared / "..data" / file)
        nodes.append(Keys(tmp_path / name))
    assert [(node.source_of(first), node.webhook_secrets("website")) for node in nodes] == [("website", (secret,))] * 2
    second = made.rotate("website").encode()
    assert [node.source_of(second) for node in nodes] == [None, None]
    swap(tmp_path / "made", shared, "2")
    assert [(node.source_of(second), node.source_of(first)) for node in nodes] == [("website", "website")] * 2
    assert [node.trouble for node in nodes] == [None, None]


def swap(made: Path, shared: Path, version: str) -> None:
    """A copy of these files takes the place of the one before, in one moment."""
    copytree(made, shared / f"..{version}")
    (shared / "..new").symlink_to(f"..{version}")
    (shared / "..new").replace(shared / "..data")


@pytest.mark.parametrize("shown", [b"", b"x", b"\xff\x00", b"x" * 100_000])
def test_whatever_bytes_a_key_has(keys: Keys, sources: Sources, shown: bytes) -> None:
    """It is nobody's, nor is a good one with more behind it."""
    key = sources.add("website", "website").encode()
    assert keys.source_of(shown) is None
    assert keys.source_of(key + b"x") is keys.source_of(key[:-1]) is keys.source_of(key.upper() + b"G") is None


def test_secrets_of_webhooks(keys: Keys, sources: Sources) -> None:
    """Of the source that is named, the newest first."""
    sources.add("hub", "backend")
    sources.add("shop", "product")
    made = [sources.rotate_webhook("hub").encode() for _ in range(2)]
    assert keys.webhook_secrets("hub") == (made[1], made[0])
    assert keys.webhook_secrets("shop") == ()
    sources.remove("hub")
    assert keys.webhook_secrets("hub") == ()


# Ways in which somebody breaks a file: cut short, emptied, gone.
BREAKINGS = [
    ("sources.json in the data folder cannot be used", b'{"format": 1, "sour'),
    ("sources.json in the data folder cannot be used", b""),
    ("sources.json is gone", None),
]


@pytest.mark.parametrize(("said", "content"), BREAKINGS)
def test_a_broken_file_changes_nothing(
    keys: Keys, sources: Sources, tmp_path: Path, said: str, content: bytes | None
) -> None:
    """What was read last stays in force, the trouble is told, and it ends when the file is mended."""
    key = sources.add("website", "website").encode()
    assert keys.source_of(key) == "website"
    path, saved = tmp_path / SOURCES_FILE, tmp_path / "saved"
    os.link(path, saved)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for _ in range(3):
        assert keys.source_of(key) == "website"
        assert keys.source_of(b"another") is None
        assert said in (keys.trouble or "")
    saved.replace(path)
    assert keys.source_of(key) == "website"
    assert keys.trouble is None


def test_a_file_that_was_broken_from_the_start(keys: Keys, tmp_path: Path) -> None:
    """There is nothing to fall back on, and no key is simply wrong."""
    (tmp_path / SOURCES_FILE).write_bytes(b"{")
    assert keys.source_of(b"x") is None
    assert keys.trouble is not None


def test_a_file_that_may_not_be_read(keys: Keys, tmp_path: Path) -> None:
    """As for any other trouble; here a folder stands in its place."""
    (tmp_path / SOURCES_FILE).mkdir()
    assert keys.source_of(b"x") is None
    assert "cannot be read" in (keys.trouble or "")


def test_trouble_with_secrets_is_told_too(keys: Keys, sources: Sources, tmp_path: Path) -> None:
    """It is the same data folder."""
    sources.add("hub", "backend")
    secret = sources.rotate_webhook("hub").encode()
    assert keys.webhook_secrets("hub") == (secret,)
    (tmp_path / WEBHOOKS_FILE).write_bytes(b"{")
    assert keys.webhook_secrets("hub") == (secret,)
    assert "webhooks.json" in (keys.trouble or "")
