"""Every setting of the program: one table, and what a node is given of it.

What lives here: the table, how a setting is written, where its value comes from. What may not: the command line
(`cli/options.py` makes options of the table), opening anything that a setting names.

1. `SETTINGS` is the table. A setting is an option of the verbs that it is for, `--store-prefix`, and an environment
   variable, `MUTINY_EDGE_STORE_PREFIX`; the option counts before the variable, and the variable before the default.
2. A variable that is set to nothing is not set.
3. A setting's text is read in one way wherever it stands. A length of time is a number with its unit (`90d`, `2.5 s`);
   where the table names a unit, a bare number is in that one. An amount of memory is a whole number with its unit
   (`64MiB`). What is wrong with a text is a `SettingError` that says what would be right.
4. `Settings` is what a node needs; how the service answers stands in the table alone.
5. An address of a store is shown without what logs in (`masked`), above all one that is mistyped.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from ipaddress import ip_address
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import re2
from msgspec import Struct

from engine import limits
from engine.problems import did_you_mean
from engine.profiles.valkey.address import BadAddress, addresses
from engine.segment.erasure import Logs

PREFIX: Final = "MUTINY_EDGE_"
LOCAL: Final = Path("data")
HIDDEN: Final = "***"

Kind: TypeAlias = Literal[
    "folder", "file", "text", "host", "url", "whole", "flag", "time", "memory", "origins", "proxies", "choice"
]

_HOST: Final = re2.compile(r"[^\s/:@\[\]]+")
_TIME: Final = re2.compile(r"([0-9]{1,10}(?:\.[0-9]{1,3})?) ?(ms|s|m|h|d)?")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_MILLISECONDS: Final = {"ms": 1, **{unit: 1_000 * seconds for unit, seconds in _SECONDS.items()}}
_MEMORY: Final = re2.compile(r"([1-9][0-9]{0,9})(KiB|MiB|GiB)")
_SIZES: Final = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_UNITS: Final[Mapping[str, Mapping[str, int]]] = {"time": _SECONDS, "memory": _SIZES}
_TRUE: Final = frozenset({"1", "true", "t", "yes", "y", "on"})  # as click reads a flag's variable
_FALSE: Final = frozenset({"0", "false", "f", "no", "n", "off"})


class SettingError(ValueError):
    """A setting's text that cannot be read; says what would be right."""


class Setting(Struct, frozen=True):
    """One setting. `default` is written as its user would; None: there is none.

    `least` and `most` bound a number (no `most`: nothing does), which is `whole`, or may have a fraction; it counts
    `unit`s. `verbs` says in words who takes it. `shows` stands for its value in help. `of` is the group of verbs to
    which it belongs, and begins its variable's name: `--domain` of `salesforce`.
    """

    name: str
    kind: Kind
    shows: str
    default: str | None
    help: str
    verbs: str = "serve"
    unit: str = ""
    least: int = 0
    most: int = 0
    whole: bool = True
    choices: tuple[str, ...] = ()
    of: str = ""
    secret: bool = False

    @property
    def option(self) -> str:
        """`--store-prefix`."""
        return f"--{self.name}"

    @property
    def field(self) -> str:
        """`store_prefix`: the option's value among a verb's arguments."""
        return self.name.replace("-", "_")

    @property
    def key(self) -> str:
        """`store-prefix`, `salesforce-domain`: its name among all."""
        return f"{self.of}-{self.name}" if self.of else self.name

    @property
    def variable(self) -> str:
        """`MUTINY_EDGE_STORE_PREFIX`, `MUTINY_EDGE_SALESFORCE_DOMAIN`."""
        return PREFIX + self.key.replace("-", "_").upper()


def _of_salesforce(name: str, kind: Kind, shows: str, text: str, *, secret: bool = False) -> Setting:
    return Setting(name, kind, shows, None, text, "salesforce", of="salesforce", secret=secret)


_RULES: Final = "all that read rules"
_DATA: Final = "all that keep or read data"
_STORE: Final = "serve; for others that open a store, the variable"

SETTINGS: Final = (
    Setting("rules", "folder", "DIR", "rules", "Folder of rule files.", _RULES),
    Setting("data", "folder", "DIR", str(LOCAL), "Folder for what the engine keeps.", _DATA),
    Setting(
        "store",
        "url",
        "URL",
        None,
        "Where profiles are kept; without it, LMDB under --data.",
        "all that open a store",
    ),
    Setting("read-store", "url", "URLS", None, "Where profiles are read: replicas, by commas; else --store.", _STORE),
    Setting("write-store", "url", "URL", None, "Where profiles are written, if not to --store.", _STORE),
    Setting("store-prefix", "text", "TEXT", "mutiny:", "In front of every key in a shared store.", _STORE),
    Setting("store-ttl", "time", "TIME", None, "Idle anonymous profiles leave a shared store (90d).", _STORE, least=1),
    Setting(
        "read-budget",
        "time",
        "TIME",
        "20ms",
        "How long a decision waits for a shared store.",
        unit="ms",
        least=1,
        most=1_000,
    ),
    Setting("near-cache", "memory", "SIZE", "64MiB", "Memory of a worker for profiles of a shared store."),
    Setting("host", "host", "ADDRESS", "127.0.0.1", "Address to listen on; 0.0.0.0 for all."),
    Setting("port", "whole", "PORT", "8080", "Port to listen on; 0 for any free one.", "serve, demo", most=65_535),
    Setting("workers", "whole", "N", "1", "Processes that answer.", least=1, most=256),
    Setting("origins", "origins", "LIST", "*", "Websites whose pages may ask, by commas; * for any."),
    Setting(
        "drain",
        "time",
        "TIME",
        f"{limits.DRAIN_S:g}s",
        "Goes on after SIGTERM.",
        unit="s",
        most=3_600,
        whole=False,
    ),
    Setting("admin-key-file", "file", "FILE", None, "Keys for the addresses of admins; without it they are off."),
    Setting("trusted-proxies", "proxies", "LIST", "", "Addresses or networks, by commas, whose geo headers count."),
    Setting(
        "webhook-batches",
        "flag",
        "",
        None,
        "Believe a whole list of events from Segment's webhook, of which only the first is signed.",
    ),
    Setting(
        "log-format",
        "choice",
        "FORM",
        "auto",
        "How the log is printed; auto: for people on a terminal, else a JSON object a line.",
        choices=("auto", "json", "text"),
    ),
    Setting(
        "log-level",
        "choice",
        "LEVEL",
        "info",
        "What is told in the log.",
        choices=("debug", "info", "warning", "error"),
    ),
    _of_salesforce("domain", "text", "HOST", "The org's My Domain, such as acme.my.salesforce.com."),
    _of_salesforce("client-id", "text", "ID", "Consumer key of the external client app."),
    _of_salesforce("client-secret", "text", "TEXT", "Its secret; from the environment alone.", secret=True),
    _of_salesforce(
        "client-secret-file",
        "file",
        "FILE",
        "File with its consumer secret; or the secret itself in MUTINY_EDGE_SALESFORCE_CLIENT_SECRET.",
    ),
    _of_salesforce("username", "text", "NAME", "User for JWT bearer, in place of a secret."),
    _of_salesforce("private-key-file", "file", "FILE", "Private key (PEM) for JWT bearer."),
)
NAMED: Final[Mapping[str, Setting]] = {setting.key: setting for setting in SETTINGS}


class Settings(Struct, frozen=True):
    """Where the rule files are, where the engine keeps what it knows, and the store if that is elsewhere.

    `webhook_batches`: of a list of events that Segment's webhook sends, those behind the first are believed too.
    `read_store` and `write_store` count before `store`, `store_ttl_s` is how long an idle anonymous profile stays in a
    shared store, `read_budget_ms` how long a decision waits for one, `near_bytes` what a worker remembers of it.
    """

    rules: Path = Path("rules")
    data: Path = LOCAL
    store: str | None = None
    webhook_batches: bool = False
    read_store: str | None = None
    write_store: str | None = None
    store_prefix: str = "mutiny:"
    store_ttl_s: int | None = None
    read_budget_ms: int = 20
    near_bytes: int = 64 * 2**20

    @property
    def logs(self) -> Logs:
        """The folders of what was sent."""
        return Logs(self.data / "events", self.data / "rejected", self.data / "erasures")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """What the variables say, the defaults for what is not set. Raises `SettingError`."""
        given = {}
        for name, field in FIELDS.items():
            setting = NAMED[name]
            if text := environment.get(setting.variable):
                try:
                    given[field] = read(setting, text)
                except SettingError as bad:
                    raise SettingError(f"{setting.variable}: {bad}") from None
        return cls(**given)


# What a node is given, by the name of the setting.
FIELDS: Final[Mapping[str, str]] = {
    "rules": "rules",
    "data": "data",
    "store": "store",
    "webhook-batches": "webhook_batches",
    "read-store": "read_store",
    "write-store": "write_store",
    "store-prefix": "store_prefix",
    "store-ttl": "store_ttl_s",
    "read-budget": "read_budget_ms",
    "near-cache": "near_bytes",
}


class Stranger(Struct, frozen=True):
    """A variable that begins like ours and is none, and the nearest that there is."""

    variable: str
    hint: str

    def __str__(self) -> str:
        """In words."""
        return f"{self.variable} is set, and no setting has this name{'; ' if self.hint else ''}{self.hint}"


def strangers(environment: Mapping[str, str]) -> list[Stranger]:
    """Variables that are set, begin like ours and are none: most likely mistyped, which nothing else would ever say."""
    known = sorted(setting.variable.removeprefix(PREFIX) for setting in SETTINGS)
    named = sorted(name.removeprefix(PREFIX) for name, text in environment.items() if text and name.startswith(PREFIX))
    # Compared without what all of them begin with: that would make any two alike.
    hints = {name: did_you_mean(name, known).replace("`", f"`{PREFIX}", 1) for name in named if name not in known}
    return [Stranger(PREFIX + name, hint) for name, hint in hints.items()]


def masked(text: str) -> str:
    """An address of a store, or several by commas, without what logs in; the user stays where a password follows.

    Of what cannot be read, nothing in front of the last `@` is shown: who knows what it was meant to be.
    """
    url, question, query = text.partition("?")
    if "@" in query:
        return HIDDEN
    try:
        addresses(text)
    except BadAddress:
        _, at, where = url.rpartition("@")
        url = HIDDEN + at + where if at else url
    else:
        url = "://".join(map(_without_password, url.split("://")))
    pairs = (pair.partition("=") for pair in query.split("&"))
    return url + question + "&".join(f"{name}={HIDDEN}" if "pass" in name else name + eq + v for name, eq, v in pairs)


def _without_password(piece: str) -> str:
    who, at, where = piece.rpartition("@")
    user, colon, _ = who.partition(":")
    return (f"{user}:{HIDDEN}@" if colon else f"{HIDDEN}@") + where if at else piece


def read(setting: Setting, text: str) -> Any:
    """What the text of a setting means; only the kinds that a node is given. Raises `SettingError`."""
    return _READERS.get(setting.kind, _as_it_is)(setting, text)


def written(setting: Setting, value: Any) -> str:
    """The value as its user would write it; nothing for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if setting.kind in _UNITS and not setting.unit:
        name, size = max(
            ((name, size) for name, size in _UNITS[setting.kind].items() if value % size == 0), key=itemgetter(1)
        )
        return f"{value // size}{name}"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def _time(setting: Setting, text: str) -> float:
    """`90d`, `20 ms`, `10`: in the setting's unit, or in seconds where it has none and so takes no bare number."""
    found = _TIME.fullmatch(text)
    unit = (found[2] or setting.unit) if found else ""
    value = Fraction(found[1]) * _MILLISECONDS[unit] / _MILLISECONDS[setting.unit or "s"] if unit else Fraction(-1)
    if value < setting.least or (setting.most and value > setting.most) or (setting.whole and value.denominator > 1):
        expected = f"a length of time with its unit ({', '.join(_SECONDS)}) such as 90d"
        if setting.unit:
            bounds = f"from {setting.least} to {setting.most} {'whole ' * setting.whole}{setting.unit}"
            expected = f"a length of time {bounds}, such as {setting.default}"
        raise SettingError(f"Expected {expected}, got {text!r}.")
    return float(value) if value.denominator > 1 else int(value)


def _memory(_: Setting, text: str) -> int:
    found = _MEMORY.fullmatch(text)
    if found is None:
        raise SettingError(f"Expected a whole number and its unit ({', '.join(_SIZES)}) such as 64MiB, got {text!r}.")
    return int(found[1]) * _SIZES[found[2]]


def _host(_: Setting, text: str) -> str:
    """An address or a name; with a port or a scheme it would be looked up as a name, and nobody would say why not."""
    try:
        ip_address(text)  # the one that may have colons
    except ValueError:
        if not _HOST.fullmatch(text):
            expected = "an address or a name alone, such as 0.0.0.0 (the port is a setting of its own)"
            raise SettingError(f"Expected {expected}, got {text!r}.") from None
    return text


def _as_it_is(_: Setting, text: str) -> str:
    return text


def _whole(setting: Setting, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and setting.least <= int(text) <= setting.most):
        raise SettingError(f"Expected a whole number from {setting.least} to {setting.most}, got {text!r}.")
    return int(text)


def _flag(_: Setting, text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise SettingError(f"Expected true or false, got {text!r}.")
    return text.lower() in _TRUE


_READERS: Final[Mapping[str, Callable[[Setting, str], Any]]] = {
    "folder": lambda _, text: Path(text),
    "whole": _whole,
    "flag": _flag,
    "time": _time,
    "memory": _memory,
    "host": _host,
}
