"""Which of the files for TLS in an address is wrong, for OpenSSL does not say. They are looked at after a failure."""

import ssl
from collections.abc import Sequence
from pathlib import Path


def fault(certificates: Sequence[tuple[str, str]]) -> str | None:
    """The first file that cannot be used, by the option that names it; None where all can."""
    for name, path in certificates:
        try:
            with Path(path).open("rb"):
                pass
        except OSError as error:
            return f"{name}: {path}: {error.strerror}"
    files = dict(certificates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authorities, own, key = (files.get(name) for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"))
    try:
        if authorities is not None:
            context.load_verify_locations(authorities)
    except ssl.SSLError:
        return f"ssl_ca_certs: {authorities}: expected certificates in PEM"
    try:
        if own is not None:
            context.load_cert_chain(own, key, password="")
    except (ssl.SSLError, ValueError):
        if key is None:
            return f"ssl_certfile: {own}: expected a certificate in PEM with its key, or the key's file as ssl_keyfile"
        return f"ssl_certfile and ssl_keyfile: {own} and {key}: expected a certificate in PEM and the key of it"
    return None
