"""Sources are made, changed and ended; their keys are shown once; a file that cannot be read is never written over."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from engine.segment.sources import (
    SOURCES_FILE,
    WEBHOOKS_FILE,
    Sources,
    SourcesError,
    is_name,
    read_secrets,
    read_sources,
)

DIGEST = sha256(b"k").hexdigest()


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Of a data folder that is not there yet."""
    return Sources(tmp_path / "data")


def digest(key: str) -> str:
    """As the file holds a key."""
    return sha256(key.encode()).hexdigest()


def test_a_source_is_added(sources: Sources, tmp_path: Path) -> None:
    """Its key is shown once; the file holds the hash of it."""
    assert sources.all() == []
    key = sources.add("website", "website")
    assert (len(key), key.isalnum()) == (32, True)
    [source] = sources.all()
    assert (source.name, source.kind, source.keys) == ("website", "website", (digest(key),))
    assert source.fingerprints() == (digest(key)[:8],)
    assert key not in (tmp_path / "data" / SOURCES_FILE).read_text()


def test_sources_are_listed_by_name(sources: Sources) -> None:
    """Whenever they were added."""
    for name in ("b", "c", "a"):
        sources.add(name, "backend")
    assert [source.name for source in sources.all()] == ["a", "b", "c"]


def test_two_keys_are_valid_while_one_replaces_the_other(sources: Sources) -> None:
    """The next rotation pushes the oldest out."""
    first = sources.add("website", "website")
    second = sources.rotate("website")
    assert sources.all()[0].keys == (digest(second), digest(first))
    third = sources.rotate("website")
    assert sources.all()[0].keys == (digest(third), digest(second))


def test_a_webhooks_secret_is_kept_apart(sources: Sources, tmp_path: Path) -> None:
    """In clear, as it must be; in another file, its owner's alone; two while one replaces the other."""
    sources.add("hub", "backend")
    assert sources.with_webhooks() == frozenset()
    made = [sources.rotate_webhook("hub") for _ in range(3)]
    path = tmp_path / "data" / WEBHOOKS_FILE
    assert read_secrets(path.read_bytes()) == {"hub": (made[2], made[1])}
    assert path.stat().st_mode & 0o777 == 0o600
    assert not any(secret in (tmp_path / "data" / SOURCES_FILE).read_text() for secret in made)
    assert sources.with_webhooks() == {"hub"}


def test_a_source_is_removed(sources: Sources) -> None:
    """With all of its keys and its secret; a new one of the same name is another."""
    for name in ("a", "b"):
        sources.add(name, "product")
        sources.rotate_webhook(name)
    kept = sources.all()[1]
    sources.remove("a")
    assert (sources.all(), sources.with_webhooks()) == ([kept], frozenset({"b"}))
    sources.add("a", "website")
    assert sources.with_webhooks() == {"b"}


def test_what_cannot_be_done(sources: Sources) -> None:
    """Each with what to do instead."""
    sources.add("website", "website")
    for attempt, said in (
        (lambda: sources.add("website", "product"), "sources rotate website"),
        (lambda: sources.add("Website", "website"), "1 to 64 of a-z 0-9 - _"),
        (lambda: sources.add("phone", "phone"), "website, product, backend"),  # type: ignore[arg-type]
        (lambda: sources.rotate("phone"), "sources list"),
        (lambda: sources.rotate_webhook("phone"), "sources list"),
        (lambda: sources.remove("phone"), "sources list"),
    ):
        with pytest.raises(SourcesError, match=said):
            attempt()


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("a", True),
        ("a-b_9", True),
        ("x" * 64, True),
        *((name, False) for name in ("x" * 65, "", "A", "a b", "a\n", "é", "a/b")),
    ],
)
def test_names(name: str, good: bool) -> None:
    """They are part of every trait's origin, and of paths."""
    assert is_name(name) == good


def source(**other: Any) -> dict[str, Any]:
    """A source as the file holds it, with something else in it."""
    return {"name": "a", "kind": "website", "keys": [DIGEST], **other}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b" " * 2_000_000,
        {},
        {"format": 2, "sources": []},
        {"format": 1, "sources": [], "other": 1},
        {"format": 1, "sources": [source(name="A")]},
        {"format": 1, "sources": [source(kind="phone")]},
        {"format": 1, "sources": [source(keys=[])]},
        {"format": 1, "sources": [source(keys=[DIGEST[:-2]])]},
        {"format": 1, "sources": [source(keys=["x" * 64])]},
        {"format": 1, "sources": [source(keys=[None])]},
        {"format": 1, "sources": [source(), source()]},
    ],
)
def test_a_file_that_cannot_be_used_is_not_written_over(sources: Sources, tmp_path: Path, content: Any) -> None:
    """What it holds may be mended by hand, and nobody's key ends because of it."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    path = tmp_path / "data" / SOURCES_FILE
    path.parent.mkdir()
    path.write_bytes(raw)
    for attempt in (sources.all, lambda: sources.add("b", "website"), lambda: sources.remove("a")):
        with pytest.raises(SourcesError, match=r"sources\.json"):
            attempt()
    assert path.read_bytes() == raw


def test_a_whole_file_is_read() -> None:
    """The one that the cases above are broken ones of."""
    raw = json.dumps({"format": 1, "sources": [source()]}).encode()
    assert read_sources(raw)["a"].keys == (DIGEST,)


@pytest.mark.parametrize("secrets", [{"a": []}, {"a": [""]}, {"a": "x"}, []])
def test_an_empty_secret_is_none(secrets: Any) -> None:
    """Anybody could sign with it."""
    with pytest.raises(SourcesError, match=r"webhooks\.json"):
        read_secrets(json.dumps({"format": 1, "secrets": secrets}).encode())
