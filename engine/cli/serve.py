"""`mutiny-edge serve`: the service, until a signal ends it.

1. Options in, `engine.web.serve` does the rest. What is wrong with an option is told before
   anything begins (`kinds.py`).
2. The first line on stdout says where it answers; everything after it is the log, on stderr.
"""

from pathlib import Path

import click

from engine import limits
from engine.cli import options
from engine.cli.kinds import Number, Origins, ProxyList, Whole
from engine.cli.screen import fail
from engine.cli.trouble import told
from engine.node import Settings
from engine.web.admin import KeysUnusable
from engine.web.serve import Options
from engine.web.serve import serve as serve_until_signal

EPILOG = """\b
Examples:
  mutiny-edge serve
  mutiny-edge serve --rules /etc/acme/rules --data /var/lib/mutiny-edge --workers 4
  mutiny-edge serve --host 0.0.0.0 --origins https://www.example.com --trusted-proxies 10.0.0.0/8
  mutiny-edge serve --admin-key-file /etc/mutiny-edge/admin-keys

An admin key file holds one key a line, at most two of them while you change from one to the other: the key itself if
only its owner may read the file (chmod 600), or `sha256:` and the SHA-256 of the key in hexadecimal digits. What
follows ` #` is a comment. To make a key, and a file that does not give it away:

\b
  KEY=$(openssl rand -hex 32)
  echo "sha256:$(printf %s "$KEY" | sha256sum | cut -c1-64)" > admin-keys

The file is read at the start, and on SIGHUP where there are several workers.
"""


@click.command(epilog=EPILOG)
@options.rules
@options.data
@options.store
@options.setting("--host", metavar="ADDRESS", default="127.0.0.1", help="Address to listen on; 0.0.0.0 for all.")
@options.setting(
    "--port", metavar="PORT", type=Whole(0, 65535), default=8080, help="Port to listen on; 0 for any free one."
)
@options.setting("--workers", metavar="N", type=Whole(1, 256), default=1, help="Processes that answer.")
@options.setting(
    "--origins", metavar="LIST", type=Origins(), default="*", help="Websites whose pages may ask, by commas; * for any."
)
@options.setting(
    "--drain", metavar="SECONDS", type=Number(0, 3600), default=limits.DRAIN_S, help="Goes on after SIGTERM."
)
@options.setting(
    "--admin-key-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Keys for the addresses of admins; without it they are off.",
)
@options.setting(
    "--trusted-proxies",
    metavar="LIST",
    type=ProxyList(),
    default="",
    help="Addresses or networks, by commas, whose geo headers count.",
)
@options.setting(
    "--webhook-batches",
    is_flag=True,
    help="Believe a whole list of events from Segment's webhook, of which only the first is signed.",
)
def command(
    *,
    rules: Path,
    data: Path,
    store: str | None,
    host: str,
    port: int,
    workers: int,
    origins: tuple[str, ...],
    drain: float,
    admin_key_file: Path | None,
    trusted_proxies: tuple[str, ...],
    webhook_batches: bool,
) -> None:
    """Run the service.

    Answers /v1/decide, takes what Segment's libraries send (see `mutiny-edge sources`), and tells admins why, what and
    who: /v1/explain, /v1/traits, /v1/profiles. /healthz and /readyz are for load balancers. Changed rule files are
    taken within two seconds; broken ones are told in the log and by /readyz, and the last good ones stay. Ctrl-C or
    SIGTERM ends it.
    """
    how = Options(
        settings=Settings(rules, data, store, webhook_batches),
        host=host,
        port=port,
        workers=workers,
        origins=origins,
        drain_s=drain,
        trusted_proxies=trusted_proxies,
        admin_key_file=admin_key_file,
    )
    with told():
        try:
            serve_until_signal(how, announce=lambda url: greet(url, rules))
        except KeysUnusable as unusable:
            fail(f"no admin key can be taken from {admin_key_file}\n{unusable}")


def greet(url: str, rules: Path) -> None:
    """The first line: where it is, and how to see that it works."""
    click.echo(f"mutiny-edge answers at {click.style(url, bold=True)} by the rules in {rules}  (Ctrl-C ends it)")
