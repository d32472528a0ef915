"""Which folders of the event log `lift` counts, and what is said of them.

1. `--events` names exactly what is counted; DATA/events is counted without it, and beside it only where `--data` stands
   on the line as well. A variable is not typed, so it adds nothing.
2. `*` as a name stands for any one, here as in an address (`lift.elsewhere`); a folder that is really called so comes
   first, and names that begin with a dot have to be written. What fits and is no log is left out.
3. What was counted is named on stderr, each log, so that half of the traffic never looks like all of it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from engine.cli import options
from engine.cli.screen import fail, say
from engine.lift.elsewhere import is_elsewhere
from engine.lift.log import has_events
from engine.settings import Settings

ANY: Final = "*"
SHOWN: Final = 20  # logs that are named; of more, only how many
LAYOUT: Final = "a folder for each node, with *.ndjson and parquet/day=…/*.parquet in it, as in DATA/events"


def chosen_folders(named: Sequence[str], data: Path) -> list[str]:
    """The logs to count, each once; those that were named are there."""
    chosen: dict[str, str] = {}
    if options.typed("data") or not named:
        own = own_log(data)
        chosen[str(Path(own).resolve())] = own
    for folder in named:
        if is_elsewhere(folder):
            chosen[folder.rstrip("/")] = folder
            continue
        for found in _found(folder):
            chosen.setdefault(str(Path(found).resolve()), found)
    return list(chosen.values())


def own_log(data: Path) -> str:
    """The event log in the data folder."""
    return str(Settings(data=data).logs.events)


def tell_counted(chosen: Sequence[str], logs: Sequence[str]) -> None:
    """Which logs were counted; of those that were asked for, which hold nothing."""
    more = f" and {len(logs) - SHOWN:,} more" if len(logs) > SHOWN else ""
    if logs:
        many = f", {len(logs):,} logs" if len(logs) > 1 else ""
        say(f"counted{many}: {', '.join(logs[:SHOWN])}{more}")
    empty = [folder for folder in chosen if not is_elsewhere(folder) and folder not in logs]
    if empty:
        say(f"no events in {', '.join(empty)}")


def _found(folder: str) -> list[str]:
    """The folder, or all logs that it stands for."""
    if folder and Path(folder).is_dir():
        return [folder]
    if folder and Path(folder).exists():
        fail(f"--events {folder}: that is a file; expected the folder of a log, as DATA/events")
    if ANY not in Path(folder).parts:
        part = "; * stands for a whole name, as in /srv/mutiny-logs/*" if ANY in folder else ""
        fail(
            f"--events {folder or repr(folder)}: there is no such folder; expected that of a log, as DATA/events{part}"
        )
    found = [str(path) for path in _fitting(Path(folder)) if has_events([str(path)])]
    if not found:
        fail(f"--events {folder}: nothing there is a log with events; expected {LAYOUT}")
    return found


def _fitting(pattern: Path) -> Iterator[Path]:
    """The folders that a pattern stands for, by name."""
    if ANY not in pattern.parts:
        yield pattern
        return
    for above in filter(Path.is_dir, _fitting(pattern.parent)):
        any_one = (path for path in above.iterdir() if not path.name.startswith("."))
        within = sorted(any_one) if pattern.name == ANY else [above / pattern.name]
        yield from filter(Path.is_dir, within)
