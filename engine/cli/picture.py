"""`--plot FILE`, whatever is drawn: what is wrong is said before the counting begins, and a file is whole or not there.

What lives here: the file of a picture and the library that is optional. What may not: what is drawn (`plot`,
`lift_plot`, which import that library and are imported here only through `load`).
"""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from engine.cli.screen import fail

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Drawn = ParamSpec("Drawn")  # what is drawn


def plotter(file: Path, load: Callable[[], Callable[Concatenate[Path, Drawn], None]]) -> Callable[Drawn, None]:
    """What draws into `file`, made by what `load` imports; whatever keeps it from drawing ends the command."""
    if file.suffix.lower() not in {".png", ".svg"}:
        fail(f"--plot {file}: expected a name that ends in .png or .svg")
    if not file.parent.is_dir():
        fail(f"--plot {file}: there is no folder {file.parent}")
    try:
        draw = load()
    except ImportError as missing:
        fail(f"--plot draws with matplotlib ({missing}): pip install 'mutiny-edge[plot]'")

    def drawn(*what: Drawn.args, **named: Drawn.kwargs) -> None:
        try:
            draw(file, *what, **named)
        except OSError as error:
            fail(f"--plot {file}: cannot be written: {error.strerror or error}")

    return drawn


def save(figure: "Figure", file: Path) -> None:
    """Write the picture, of the kind that is in the file's name; as a whole, or the file stays as it was. Same figures
    give the same SVG. Raises OSError.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - who has a figure has the library

    kind = file.suffix.lower().removeprefix(".")
    picture = BytesIO()
    with rc_context({"svg.hashsalt": "mutiny-edge"}):
        figure.savefig(picture, format=kind, dpi=120, metadata={"Date": None} if kind == "svg" else {})
    unfinished = file.with_name(f"{file.name}.part")
    try:
        unfinished.write_bytes(picture.getvalue())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
