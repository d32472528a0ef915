"""A file of LMDB's opened: new, again, and where it must not be."""

from pathlib import Path

import pytest

from engine.profiles import identity
from engine.profiles.opening import MAP_BYTES, opened
from engine.profiles.store import StoreDamaged, StoreUnavailable


def test_a_new_folder_becomes_a_store_and_stays_the_same_one(folder: Path) -> None:
    """It gets a name, once; the map is as large as it was asked for."""
    names = []
    for _ in range(2):
        environment, trust = opened(folder, MAP_BYTES, None, read_only=False)
        assert environment.info()["map_size"] == MAP_BYTES
        trust.leave()
        environment.close()
        names.append(identity.read(folder))
    assert names[0] is not None
    assert names[0] == names[1]


def test_a_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    """In the store's words, with the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="file"):
        opened(tmp_path / "file" / "profiles", MAP_BYTES, None, read_only=False)


def test_a_file_that_is_none_is_refused_and_let_go_of(folder: Path) -> None:
    """Once it is whole again it is opened as if nothing had been."""
    environment, trust = opened(folder, MAP_BYTES, None, read_only=False)
    trust.leave()
    environment.close()
    whole = (folder / identity.DATA_FILE).read_bytes()
    (folder / identity.DATA_FILE).write_bytes(whole[:100])
    with pytest.raises(StoreDamaged):
        opened(folder, MAP_BYTES, None, read_only=False)
    (folder / identity.DATA_FILE).write_bytes(whole)
    environment, trust = opened(folder, MAP_BYTES, 1.0, read_only=False)
    trust.leave()
    environment.close()
