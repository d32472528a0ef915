"""`mutiny-edge serve`: the service, until a signal ends it.

1. Options in, `engine.web.serve` does the rest. What is wrong with an option is told before
   anything begins (`kinds.py`).
2. All that it says is the log, on stderr. On a terminal one line more, on stdout, says where it answers: a file or a
   journal has it in the log, in the form that programs read.
"""

from pathlib import Path
from typing import Any

import click

from engine.cli.screen import fail, for_people
from engine.cli.serve_options import meant, options_of, service
from engine.cli.trouble import told
from engine.web.admin import KeysUnusable
from engine.web.serve import serve as serve_until_signal
from engine.web.telemetry import TelemetryUnusable

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
  KEY=$(python3 -c 'import secrets; print(secrets.token_hex(32))') &&
    echo "sha256:$(printf %s "$KEY" | sha256sum | cut -c1-64)" > admin-keys

The file is read at the start, and on SIGHUP where there are several workers.
"""


@click.command(epilog=EPILOG)
@service(there=True)
def command(**given: Any) -> None:
    """Run the service.

    Answers /v1/decide, takes what Segment's libraries send (see `mutiny-edge sources`), and tells admins why, what and
    who: /v1/explain, /v1/traits, /v1/profiles. /healthz and /readyz are for load balancers. Changed rule files are
    taken within two seconds; broken ones are told in the log and by /readyz, and the last good ones stay. Ctrl-C or
    SIGTERM ends it.
    """
    how = options_of(meant(given))
    with told():
        try:
            serve_until_signal(how, announce=lambda url: greet(url, how.settings.rules) if for_people() else None)
        except KeysUnusable as unusable:
            fail(f"no admin key can be taken from {how.admin_key_file}\n{unusable}")
        except TelemetryUnusable as unusable:
            fail(str(unusable))


def greet(url: str, rules: Path) -> None:
    """For people: where it is, and how to end it."""
    click.echo(f"mutiny-edge answers at {click.style(url, bold=True)} by the rules in {rules}  (Ctrl-C ends it)")
