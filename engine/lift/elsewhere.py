"""Folders of the log that are not on this machine: `s3://bucket/prefix` and what else fsspec knows, for DuckDB to read.

What lives here: reaching them, which files they hold, and why not, in words. What may not: what stands in the files.

1. DuckDB has an extension for this that it would have to fetch from its makers; so it reads through Python instead, by
   fsspec and s3fs. These obey what every program of AWS does: `AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` …
2. A folder is listed once, as a whole: what cannot be listed is an error, for half of a log would be a wrong answer.
   `*` as a name in the path stands for any one: of `s3://bucket/logs/*` every node's folder counts.
3. Files there are copies of a data folder's `events`, made by whatever copies files. So lines may be there beside the
   Parquet that was made of them, and count once all the same, as every repeat does.
4. Each read of DuckDB's is one request for just that range: of Parquet only the columns that are asked for come over.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import re2

from engine.events.archive import DAMAGED_FOLDER, PARQUET_FOLDER, PARQUET_SUFFIX, WORK_FOLDER
from engine.events.reading import SUFFIX

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SCHEME_ENDS: Final = "://"
_ANY: Final = "*"
_SHOWN: Final = 3
_EXTRA: Final = "pip install 'mutiny-edge[s3]'"
_LAYOUT: Final = "expected files as in DATA/events: *.ndjson and parquet/day=…/*.parquet"
_OF_S3: Final = {  # DuckDB knows what it needs next, fsspec does not: it would fetch 50 MiB with every range
    "default_cache_type": "none",
    "default_fill_cache": False,
    "config_kwargs": {"connect_timeout": 10},  # s; whoever gave a wrong address need not wait for a minute
}
_FAR: Final = "it cannot be reached ({}); AWS_ENDPOINT_URL says where it is, AWS_DEFAULT_REGION in which region"
_KEYS: Final = "there are no credentials for it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_WORDS: Final = {
    "NoCredentialsError": _KEYS,
    "PartialCredentialsError": _KEYS,
    "PermissionError": "access is denied ({}); who asks has to be allowed to list the bucket and to get its objects",
    "EndpointConnectionError": _FAR,
    "HTTPClientError": _FAR,
    "ConnectTimeoutError": _FAR,
    "ReadTimeoutError": _FAR,
    "FSTimeoutError": _FAR,
}
_RAISED: Final = re2.compile(r"(?m)^([A-Za-z]\w*(?:Error|Exception)): (.*)$")


class NotReached(Exception):  # noqa: N818 - the name says what is wrong
    """A folder cannot be read from here; the words say which, why, and what to do."""


def is_elsewhere(folder: str) -> bool:
    """Whether this is an address, and no path."""
    return _SCHEME_ENDS in folder


class Elsewhere:
    """The places of some folders, reached when they are asked for."""

    def __init__(self, connection: "DuckDBPyConnection") -> None:
        """This connection will be able to read there."""
        self._connection = connection
        self._places: dict[str, Any] = {}

    def files(self, folder: str) -> tuple[list[str], list[str]]:
        """The addresses of the files of lines and of Parquet in this folder. Raises NotReached."""
        place = self.reach(folder)
        root, names = _parted(folder.partition(_SCHEME_ENDS)[2])
        if not root:
            raise NotReached(f"{folder}: expected a bucket and a folder in it, such as s3://bucket/logs/node-1")
        try:
            found = place.find(root, detail=True)
        except Exception as error:
            raise NotReached(f"{folder}: {why(error, root)}") from error
        sizes = {name: info["size"] for name, info in found.items() if info["type"] == "file"}
        parts = _parts(place.unstrip_protocol(root).removesuffix(root), root, names, sizes)
        if not any(parts):
            raise NotReached(f"{folder}: no events lie there; {_nearest(folder, root, sizes) or _LAYOUT}")
        return parts

    def reach(self, address: str) -> Any:
        """The place where this is. Raises NotReached."""
        scheme = address.partition(_SCHEME_ENDS)[0].replace("s3a", "s3")
        if scheme not in self._places:
            place = self._places[scheme] = _reached(scheme, address)
            self._connection.register_filesystem(place)
        return self._places[scheme]


def why(error: BaseException, path: str) -> str:
    """What an error of such a place says to whoever asked for this path."""
    words = " ".join(str(error).split()).rstrip(".: ")
    if isinstance(error, FileNotFoundError):
        return (
            f"there is no bucket `{path.partition('/')[0]}`" if "bucket" in words else f"nothing lies there; {_LAYOUT}"
        )
    return _told([kind.__name__ for kind in type(error).__mro__], words)


def why_not_read(text: str) -> str:
    """The same of what went wrong while DuckDB read: it hands on the text of a traceback, or its own words."""
    found = _RAISED.findall(text) if text.startswith("Traceback") else []
    kind, words = found[-1] if found else ("", text.partition("\n")[0])
    if kind == "FileNotFoundError":
        return "a file was taken away while it was read; ask again"
    return _told([kind], words.rstrip(".: "))


def _told(kinds: Sequence[str], words: str) -> str:
    told = next((_WORDS[kind] for kind in kinds if kind in _WORDS), "{}")
    return told.format(words or kinds[0])


def _reached(scheme: str, folder: str) -> Any:
    """The place that is meant. Raises NotReached."""
    if scheme == "file":
        raise NotReached(f"{folder}: a folder on this machine is written without file://")
    try:
        from fsspec import filesystem  # noqa: PLC0415 - only who asks elsewhere needs it

        return filesystem(scheme, skip_instance_cache=True, **(_OF_S3 if scheme == "s3" else {}))
    except ImportError as error:
        extra = _EXTRA if scheme == "s3" else f"{_EXTRA}, and {error}"
        raise NotReached(f"{folder}: to read there, more has to be installed: {extra}") from error
    except ValueError as error:
        raise NotReached(f"{folder}: {error}; expected a folder, or s3://bucket/prefix") from error


def _parted(path: str) -> tuple[str, list[str]]:
    """What can be listed, and the names behind it, from the first that stands for any on."""
    names = [name for name in path.split("/") if name]
    known = names.index(_ANY) if _ANY in names else len(names)
    return "/".join(names[:known]), names[known:]


def _parts(before: str, root: str, names: Sequence[str], sizes: Mapping[str, int]) -> tuple[list[str], list[str]]:
    lines, parquet = [], []
    for name, size in sorted(sizes.items()):
        within = name.removeprefix(root).strip("/").split("/")
        if not _is(within[: len(names)], names):
            continue
        match within[len(names) :]:
            case [file] if file.endswith(SUFFIX) and size:
                lines.append(only(before + name))
            case [folder, day, file] if _is_parquet(folder, day, file):
                parquet.append(only(before + name))
    return lines, parquet


def _is(names: Sequence[str], wanted: Sequence[str]) -> bool:
    return len(names) == len(wanted) and all(one in {_ANY, name} for name, one in zip(names, wanted, strict=True))


def _is_parquet(folder: str, day: str, file: str) -> bool:
    return folder == PARQUET_FOLDER and day.startswith("day=") and file.endswith(PARQUET_SUFFIX)


def _nearest(folder: str, root: str, sizes: Iterable[str]) -> str:
    """The folders below this one that hold lines, the first few."""
    found = dict.fromkeys(_logs(root, sorted(sizes)))
    near = [f"{folder.rstrip('/')}/{within}" for within in islice(found, _SHOWN)]
    return f"did you mean {' or '.join(near)}?" if near and _ANY not in folder else ""


def _logs(root: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        folder, _, file = name.rpartition("/")
        if file.endswith(SUFFIX) and not folder.endswith((f"/{DAMAGED_FOLDER}", f"/{WORK_FOLDER}")):
            yield folder.removeprefix(root).strip("/")


def only(name: str) -> str:
    """Exactly this file, where a pattern may stand."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def plain(name: str) -> str:
    """The name that `only` was given."""
    return str(re2.sub(r"\[([*?[])\]", r"\1", name))


def logs(lines: Iterable[str], parquet: Iterable[str]) -> list[str]:
    """The folders whose files these are, as `Elsewhere.files` gives them: each node's log."""
    depths = [(lines, 1), (parquet, 3)]  # parquet/day=…/FILE
    return sorted({plain(name.rsplit("/", depth)[0]) for names, depth in depths for name in names})
