"""Every form of an address, what is wrong with others, and that no password is ever shown."""

import pytest

from engine.profiles.valkey.address import Address, BadAddress, address, addresses, checked_prefix, named

SECRET = "geh-eim"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("redis://h", Address("one", (("h", 6379),))),
        ("valkey://h:7", Address("one", (("h", 7),))),
        ("redis://:p%40%2Fw@h/3", Address("one", (("h", 6379),), password="p@/w", db=3)),
        ("rediss://u%3A:p@h", Address("one", (("h", 6379),), tls=True, user="u:", password="p")),
        ("valkeys://h", Address("one", (("h", 6379),), tls=True)),
        ("redis://[::1]:7/0", Address("one", (("::1", 7),))),
        ("unix:///run/v.sock", Address("socket", path="/run/v.sock")),
        ("unix://u:p@/run/v.sock?db=2", Address("socket", path="/run/v.sock", user="u", password="p", db=2)),
        ("redis+cluster://a,b:7", Address("cluster", (("a", 6379), ("b", 7)))),
        ("valkeys+cluster://[::1],b", Address("cluster", (("::1", 6379), ("b", 6379)), tls=True)),
        ("redis+sentinel://a,b:7/edge", Address("sentinel", (("a", 26379), ("b", 7)), service="edge")),
        (
            "rediss+sentinel://u:p@a/edge/2?sentinel_user=s&sentinel_password=%3F&ssl_ca_certs=/ca.pem",
            Address(
                "sentinel",
                (("a", 26379),),
                tls=True,
                user="u",
                password="p",
                db=2,
                service="edge",
                certificates=(("ssl_ca_certs", "/ca.pem"),),
                sentinel_user="s",
                sentinel_password="?",
            ),
        ),
    ],
)
def test_every_form_is_read(text: str, meant: Address) -> None:
    """And what is shown of it is read as the same, but for passwords and options."""
    read = address(text)
    assert {name: getattr(read, name) for name in read.__struct_fields__} == {
        name: getattr(meant, name) for name in meant.__struct_fields__
    }
    if read.password is None:
        assert address(str(read)) == read


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("localhost:6379", "Expected redis://HOST:PORT"),
        ("http://h", "it begins with http://"),
        ("redis://", "Expected HOST or HOST:PORT"),
        ("redis://h:", "a port from 1 to 65535"),
        ("redis://h:0", "a port from 1 to 65535"),
        ("redis://h:65536", "a port from 1 to 65535"),
        (f"redis://user:{SECRET}", "a port from 1 to 65535"),
        ("redis://h/x", "the number of a database"),
        ("redis://u@h", "a password alone is written :PASSWORD@HOST"),
        (f"redis://{SECRET}@h", "a password alone is written :PASSWORD@HOST"),
        (f"redis://u:{SECRET}/@h", "has to be written as %2F"),
        (f"redis://u:{SECRET}?@h", "has to be written as %2F"),
        (f"redis://u:{SECRET}#@h", "has to be written as %2F"),
        ("redis://a,b", "redis+cluster://"),
        ("redis+cluster://a/1", "a cluster has no databases"),
        ("redis+sentinel://a", "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE"),
        ("unix://run/v.sock", "the whole path of a socket"),
        ("redis://h?db=1", "Expected nothing behind ?, got 'db'"),
        ("redis://h?ssl_ca_certs=/ca.pem", "certificates are for rediss://"),
        (f"rediss://h?password={SECRET}", "Expected ssl_ca_certs=… or ssl_certfile=… or ssl_keyfile=… behind ?"),
        ("rediss://h?ssl_ca_certs=", "got 'ssl_ca_certs'"),
    ],
)
def test_what_is_wrong_is_named_and_no_password_is_shown(text: str, says: str) -> None:
    """One line, which says what would be right."""
    with pytest.raises(BadAddress) as told:
        address(text)
    line = str(told.value)
    assert line.startswith("the store's address: ")
    assert says in line
    assert "\n" not in line
    assert SECRET not in line


def test_no_text_of_an_address_has_its_password() -> None:
    """Neither for people nor for logs."""
    read = address(f"redis+sentinel://u:{SECRET}@h/edge?sentinel_password={SECRET}")
    assert str(read) == f"{read!r}" == "redis+sentinel://u@h:26379/edge"
    assert SECRET not in f"{[read]} {BadAddress(read)}"
    assert read.arguments() == {"username": "u", "password": SECRET, "db": 0}
    assert read.sentinel_arguments() == {"username": None, "password": SECRET}


def test_several_addresses_stand_behind_each_other() -> None:
    """A comma may part addresses, and the servers of one."""
    text = "redis://a, redis+cluster://b,c:7,rediss://d"
    assert [str(one) for one in addresses(text)] == ["redis://a:6379", "redis+cluster://b:6379,c:7", "rediss://d:6379"]


def test_a_server_is_named_as_it_is_written() -> None:
    """IPv6 in brackets."""
    assert [named(("h", 1)), named(("::1", 2))] == ["h:1", "[::1]:2"]


@pytest.mark.parametrize("prefix", ["mutiny:", "", "x*[?]\\:", "shop-a/", "ab:", "x:visitors:", ":"])
def test_a_prefix_may_be_any_plain_text(prefix: str) -> None:
    """Also what means something to a pattern."""
    assert checked_prefix(prefix) == prefix


@pytest.mark.parametrize("prefix", ["{a}:", "a b", "é", "x" * 65, "v:", "x:v:", "a\n"])
def test_a_prefix_that_would_mix_keys_is_refused(prefix: str) -> None:
    """Braces move keys in a cluster; what ends as a kind does holds what another prefix means by its visitors."""
    with pytest.raises(BadAddress, match=r"prefix"):
        checked_prefix(prefix)
