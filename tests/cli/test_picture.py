"""Pictures that cannot be made are told, and what stood in the file before still does."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from engine.cli.picture import plotter, save
from engine.cli.screen import CannotRun


def test_what_is_drawn(tmp_path: Path) -> None:
    """The file, and behind it all that was given."""
    drawn: list[Any] = []
    plotter(tmp_path / "a.PNG", lambda: lambda *what: drawn.append(what))(1, 2)
    assert drawn == [(tmp_path / "a.PNG", 1, 2)]


def test_what_is_wrong_is_said_first(tmp_path: Path) -> None:
    """Another ending, a folder that is not there, no library: nothing is drawn."""

    def missing() -> Any:
        raise ImportError("not here")

    for name, load, said in (
        ("a.pdf", lambda: None, "expected a name that ends in .png or .svg"),
        ("gone/a.png", lambda: None, "there is no folder"),
        ("a.png", missing, "pip install 'mutiny-edge[plot]'"),
    ):
        with pytest.raises(CannotRun) as told:
            plotter(tmp_path / name, load)
        assert said in told.value.message


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """The option, the file and why."""
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(CannotRun) as told:
        plotter(tmp_path / "a.svg", lambda: lambda file: save(Figure(), file))()
    assert told.value.message == f"--plot {tmp_path / 'a.svg'}: cannot be written: Is a directory"
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]


def test_the_same_figures_are_the_same_file(tmp_path: Path) -> None:
    """No date and no chance in it; nothing else stays behind."""
    for name in ("a.svg", "b.svg"):
        figure = Figure()
        figure.subplots().plot([1, 2])
        save(figure, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.svg", "b.svg"]
