"""The address of a shared store, as people write it. Nothing is looked up or opened here.

What lives here: the forms of an address, what each part may be, how it is shown. What may not: connections.

1. `redis://USER:PASSWORD@HOST:PORT/DB` is one server, `rediss://` the same over TLS, `unix:///PATH?db=DB` a socket.
   `redis+cluster://HOST:PORT,HOST:PORT` is a cluster, of which one node that answers is enough; it has no databases.
   `redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB` names Sentinels, who know the primary of that service.
   `rediss+cluster` and `rediss+sentinel` speak TLS to all of them; `valkey` may stand wherever `redis` does.
2. What comes behind `?` are options: certificates (`ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`: files in PEM), and
   the Sentinels' own user (`sentinel_user`, `sentinel_password`), for USER and PASSWORD are the servers'.
3. Whatever else is in an address is wrong, and said to be: a typing error is not somewhere else.
4. **A password is in no message and in no text of an address.** What is wrong is named, not shown.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NoReturn, TypeAlias
from urllib.parse import unquote

from msgspec import Struct

from engine.profiles.store import StoreError

Form: TypeAlias = Literal["one", "socket", "cluster", "sentinel"]
Server: TypeAlias = tuple[str, int]  # host, port

FORMS: Final = (
    "redis://HOST:PORT, rediss://…, unix:///PATH, redis+cluster://HOST:PORT,… or redis+sentinel://HOST:PORT,…/SERVICE"
)
PREFIX_CHARS: Final = 64  # it stands in front of every key, and in the server's memory as often
_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_DATABASES: Final = 2**31
_CERTIFICATES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_OF_SENTINELS: Final = ("sentinel_user", "sentinel_password")
_SCHEMES: Final[Mapping[str, tuple[Form, bool]]] = {
    "redis": ("one", False),
    "rediss": ("one", True),
    "unix": ("socket", False),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
}


class BadAddress(StoreError):
    """An address that cannot be read; it says which part is wrong and what would be right."""


class Address(Struct, frozen=True, repr_omit_defaults=True):
    """Where a shared store is. As text it has no password."""

    form: Form
    servers: tuple[Server, ...] = ()
    tls: bool = False
    path: str = ""  # of the socket
    user: str | None = None
    password: str | None = None
    db: int = 0
    service: str = ""
    certificates: tuple[tuple[str, str], ...] = ()
    sentinel_user: str | None = None
    sentinel_password: str | None = None

    def __str__(self) -> str:
        """As it was written, without passwords and options."""
        scheme = next(name for name, means in _SCHEMES.items() if means == (self.form, self.tls))
        user = f"{self.user}@" if self.user else ""
        if self.form == "socket":
            return f"{scheme}://{user}{self.path}{f'?db={self.db}' if self.db else ''}"
        where = ",".join(named(server) for server in self.servers)
        service = f"/{self.service}" if self.service else ""
        return f"{scheme}://{user}{where}{service}{f'/{self.db}' if self.db else ''}"

    __repr__ = __str__

    def arguments(self) -> dict[str, Any]:
        """Whoever opens a connection to a server of this store with redis-py, blocking or not, gives it these."""
        known: dict[str, Any] = {"username": self.user, "password": self.password, "db": self.db}
        return known | dict(self.certificates)

    def sentinel_arguments(self) -> dict[str, Any]:
        """The same for a connection to a Sentinel."""
        known: dict[str, Any] = {"username": self.sentinel_user, "password": self.sentinel_password}
        return known | dict(self.certificates)


def named(server: Server) -> str:
    """`host:port`."""
    host, port = server
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def addresses(text: str) -> tuple[Address, ...]:
    """Several addresses, by commas. Raises BadAddress."""
    texts: list[str] = []
    for part in text.split(","):
        if texts and "://" not in part:  # one more server of the same address
            texts[-1] += f",{part}"
        else:
            texts.append(part)
    return tuple(address(one.strip()) for one in texts)


def address(text: str) -> Address:
    """`SCHEME://[USER:PASSWORD@]WHERE[?OPTIONS]`. Raises BadAddress."""
    scheme, separator, rest = text.partition("://")
    means = _SCHEMES.get(scheme.lower().replace("valkey", "redis", 1))
    if not separator or means is None:
        shown = f"{scheme}://" if separator and "@" not in scheme else "none of these"
        _refuse(f"Expected {FORMS}; it begins with {shown}")
    form, tls = means
    rest, _, query = rest.partition("?")
    who, at, where = rest.rpartition("@")
    if "@" in query or "/" in who or "#" in who:
        _refuse("a /, ?, # or @ in a user or password has to be written as %2F, %3F, %23 or %40")
    user, password = _credentials(who) if at else (None, None)
    options = _options(query, form, tls=tls)
    certificates = tuple((name, options[name]) for name in _CERTIFICATES if name in options)
    of_sentinels = (options.get("sentinel_user"), options.get("sentinel_password"))
    if form == "socket":
        if not where.startswith("/"):
            _refuse("Expected the whole path of a socket, such as unix:///run/valkey/valkey.sock")
        path, db = unquote(where), _database(options.get("db", ""))
        return Address(form, (), tls, path, user, password, db)
    hosts, _, path = where.partition("/")
    servers = tuple(_server(host, _SENTINEL_PORT if form == "sentinel" else _PORT) for host in hosts.split(","))
    service, db = _place(form, path, servers)
    return Address(form, servers, tls, "", user, password, db, service, certificates, *of_sentinels)


def checked_prefix(prefix: str) -> str:
    """What may stand in front of every key. Raises BadAddress."""
    if len(prefix) > PREFIX_CHARS or not prefix.isascii() or not prefix.isprintable() or set(prefix) & set(" {}"):
        _refuse(
            f"Expected a prefix of at most {PREFIX_CHARS} ASCII characters without blanks and braces (those decide "
            f"where in a cluster a key is), got {prefix!r}"
        )
    if len(prefix) > 1 and prefix[-1] == ":" and prefix[-2] in "vauglcn" and (prefix[:-2] or ":")[-1] == ":":
        # The keys of `x:v:` would be records of visitors to whoever has the prefix `x:`.
        _refuse(f"The prefix {prefix!r} ends as a kind of record does ({prefix[-2:]}): take a longer word")
    return prefix


def _refuse(what: str) -> NoReturn:
    raise BadAddress(f"the store's address: {what}")


def _credentials(who: str) -> tuple[str | None, str]:
    """`USER:PASSWORD`, or `:PASSWORD` of the user that a server calls `default`."""
    user, colon, password = who.partition(":")
    if not colon or not password:
        _refuse("there is a user without a password; a password alone is written :PASSWORD@HOST")
    return unquote(user) or None, unquote(password)


def _server(text: str, port: int) -> Server:
    """`HOST[:PORT]`; an IPv6 address stands in brackets."""
    host, _, rest = text[1:].partition("]") if text.startswith("[") else text.partition(":")
    number = rest.removeprefix(":") if text.startswith("[") else rest
    if not host or any(mark in host for mark in " []\\") or (number and not _is_port(number)) or text.endswith(":"):
        # What follows the colon may be somebody's password, in an address that lacks its host.
        _refuse(f"Expected HOST or HOST:PORT with a port from 1 to 65535, got {host!r} and something that is no port")
    return host, int(number) if number else port


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65_536


def _place(form: Form, path: str, servers: tuple[Server, ...]) -> tuple[str, int]:
    """What stands behind the servers: `DB`, of Sentinels `SERVICE[/DB]`."""
    if form == "sentinel":
        service, _, path = path.partition("/")
        if not service:
            _refuse("Sentinels know services by name: redis+sentinel://HOST:PORT,HOST:PORT/SERVICE")
        return unquote(service), _database(path)
    if form == "cluster" and path not in {"", "0"}:
        _refuse("a cluster has no databases: nothing may follow its servers")
    if form == "one" and len(servers) > 1:
        _refuse("several servers are a cluster (redis+cluster://…) or Sentinels (redis+sentinel://…/SERVICE)")
    return "", _database(path)


def _database(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) < _DATABASES):
        _refuse("Expected the number of a database behind the last /, such as /0")
    return int(text or 0)


def _options(query: str, form: Form, *, tls: bool) -> dict[str, str]:
    """`NAME=VALUE&NAME=VALUE`."""
    taken = [*(_CERTIFICATES if tls else ()), *(_OF_SENTINELS if form == "sentinel" else ())]
    taken += ["db"] if form == "socket" else []
    options: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if name not in taken or not value or not equals:
            hint = "; certificates are for rediss://" if name in _CERTIFICATES and not tls else ""
            _refuse(f"Expected {' or '.join(f'{one}=…' for one in taken) or 'nothing'} behind ?, got {name!r}{hint}")
        options[name] = unquote(value)
    if "ssl_keyfile" in options and "ssl_certfile" not in options:
        _refuse("there is an ssl_keyfile without the ssl_certfile that it is the key of")
    return options
