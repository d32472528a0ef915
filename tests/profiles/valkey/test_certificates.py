"""A file for TLS that cannot be used is told by its path and by the option that names it."""

from pathlib import Path

import pytest
import trustme

from engine.profiles.valkey.address import BadAddress, address
from engine.profiles.valkey.certificates import fault


def test_each_file_that_is_wrong(tmp_path: Path) -> None:
    """One that is not there, one that is something else, a certificate without its key, or with another one's."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    ca, own, key, other, whole = (tmp_path / name for name in ("ca", "own", "key", "other", "whole"))
    authority.cert_pem.write_to_path(ca)
    issued.cert_chain_pems[0].write_to_path(own)
    issued.private_key_pem.write_to_path(key)
    authority.private_key_pem.write_to_path(other)
    issued.private_key_and_cert_chain_pem.write_to_path(whole)

    def told(**files: Path) -> str | None:
        return fault([(f"ssl_{name}", str(path)) for name, path in files.items()])

    assert told() is told(ca_certs=ca, certfile=own, keyfile=key) is told(certfile=whole) is None
    assert told(ca_certs=tmp_path / "no") == f"ssl_ca_certs: {tmp_path}/no: No such file or directory"
    assert told(ca_certs=key) == f"ssl_ca_certs: {key}: expected certificates in PEM"
    assert (told(certfile=own) or "").endswith("with its key, or the key's file as ssl_keyfile")
    assert (told(certfile=own, keyfile=other) or "").startswith(f"ssl_certfile and ssl_keyfile: {own} and {other}: ")


def test_a_key_of_no_certificate() -> None:
    """It is of no use, and redis-py would fail on it."""
    with pytest.raises(BadAddress, match="an ssl_keyfile without the ssl_certfile"):
        address("rediss://localhost?ssl_keyfile=/key.pem")
