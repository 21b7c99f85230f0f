"""What is taken for the address of a feed, how it is shown, and which are called."""

from __future__ import annotations

import pytest

from calsync_plugin.errors import FeedError, SettingsError
from calsync_plugin.feeds.masking import checked_address, shown
from calsync_plugin.http.pinned import Rules
from calsync_plugin.http.places import Place, place_of, redirected
from calsync_plugin.http.public import is_public, is_this_machine

GOOGLE = "https://calendar.google.com/calendar/ical/me%40example.com/private-0123456789abcdef/basic.ics"

TAKEN = [
    pytest.param(GOOGLE, GOOGLE, id="google"),
    pytest.param(f"  <{GOOGLE}>\n", GOOGLE, id="pasted"),
    pytest.param("webcal://p12.icloud.com/2/SECRET", "https://p12.icloud.com/2/SECRET", id="webcal"),
    pytest.param("WEBCAL://Example.COM./a", "https://example.com/a", id="capitals"),
    pytest.param("example.com/secret.ics", "https://example.com/secret.ics", id="no-scheme"),
    pytest.param("http://example.com/a", "http://example.com/a", id="http"),
    pytest.param("http://example.com:80/a", "http://example.com/a", id="usual-port"),
    pytest.param("http://example.com:443/a", "http://example.com:443/a", id="other-usual-port"),
    pytest.param("https://example.com", "https://example.com/", id="no-path"),
    pytest.param("https://example.com/a?b=c&d=%20#e", "https://example.com/a?b=c&d=%20", id="query"),
    pytest.param("https://bücher.example/ä?ü", "https://xn--bcher-kva.example/%C3%A4?%C3%BC", id="umlauts"),
    pytest.param("https://93.184.216.34/a", "https://93.184.216.34/a", id="number"),
    pytest.param("https://[2606:2800:220:1::1]/a", "https://[2606:2800:220:1::1]/a", id="number-of-ipv6"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "address"), TAKEN)
def test_an_address_is_taken(typed: str, address: str) -> None:
    assert checked_address(typed) == address
    assert checked_address(address) == address


REFUSED = [
    pytest.param("", "Enter the calendar's iCalendar address.", id="empty"),
    pytest.param("SECRET", "must begin with", id="word"),
    pytest.param("ftp://example.com/SECRET", "must begin with", id="ftp"),
    pytest.param("file:///etc/SECRET", "must begin with", id="file"),
    pytest.param("gopher://example.com/SECRET", "must begin with", id="gopher"),
    pytest.param("https:///SECRET", "not an address", id="no-host"),
    pytest.param("https://me:SECRET@example.com/", "user name or a password", id="password"),
    pytest.param("https://SECRET@example.com/", "user name or a password", id="user"),
    pytest.param("https://example.com:8443/SECRET", "port", id="port"),
    pytest.param("https://example.com:0/SECRET", "port", id="port-zero"),
    pytest.param("https://example.com:99999/SECRET", "port", id="no-such-port"),
    pytest.param("https://example.com:x/SECRET", "port", id="port-is-a-word"),
    pytest.param("https://example.com/a b/SECRET", "not an address", id="space"),
    pytest.param("https://example.com/\r\nSECRET: x", "not an address", id="line-end"),
    pytest.param("https://example.com\\@SECRET/", "not an address", id="backslash"),
    pytest.param("https://exa mple.com/SECRET", "not an address", id="space-in-the-name"),
    pytest.param("https://[::1/SECRET", "not an address", id="half-a-bracket"),
    pytest.param("https://[fe80::1%25eth0]/SECRET", "", id="scope"),
    pytest.param("https://a..b/SECRET", "not an address", id="empty-label"),
    pytest.param("https://" + "a" * 64 + ".com/SECRET", "not an address", id="long-label"),
    pytest.param("https://example.com/" + "SECRET" * 400, "too long", id="long"),
    pytest.param("https://localhost/SECRET", "not on the public internet", id="localhost"),
    pytest.param("https://a.localhost/SECRET", "not on the public internet", id="below-localhost"),
    pytest.param("https://127.0.0.1/SECRET", "not on the public internet", id="loopback"),
    pytest.param("https://169.254.169.254/SECRET", "not on the public internet", id="metadata"),
    pytest.param("https://[::ffff:10.0.0.1]/SECRET", "not on the public internet", id="mapped"),
    pytest.param("https://2130706433/SECRET", "does not accept", id="decimal"),
    pytest.param("https://0x7f000001/SECRET", "does not accept", id="hexadecimal"),
    pytest.param("https://0177.0.0.1/SECRET", "does not accept", id="octal"),
    pytest.param("https://127.1/SECRET", "does not accept", id="short"),
    pytest.param("https://0x7f.0.0.0x1/SECRET", "does not accept", id="mixed"),
    pytest.param("https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/SECRET", "", id="wide-digits"),
    pytest.param("https://134744072/SECRET", "does not accept", id="decimal-of-a-public-one"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "words"), REFUSED)
def test_an_address_is_refused_without_being_repeated(typed: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        checked_address(typed)
    assert words in str(caught.value)
    assert "SECRET" not in "".join(map(str, (caught.value, caught.value.__context__, caught.value.__cause__)))


def test_the_sandbox_may_name_this_machine() -> None:
    address = "http://127.0.0.1:8702/feed.ics"
    assert checked_address(address, rules=Rules(allow_loopback=True)) == address


SHOWN = [
    pytest.param(GOOGLE, "calendar.google.com/…/basic.ics", id="google"),
    pytest.param("https://p12-caldav.icloud.com/published/2/SECRET", "p12-caldav.icloud.com/…", id="icloud"),
    pytest.param("https://outlook.office365.com/owa/calendar/SECRET/SECRET/calendar.ics",
                 "outlook.office365.com/…/calendar.ics", id="outlook"),
    pytest.param("https://example.com/SECRET.ics", "example.com/….ics", id="secret-is-the-name"),
    pytest.param("https://example.com/a/SECRET.ics", "example.com/….ics", id="secret-is-the-name-below"),
    pytest.param("https://example.com/basic.ics?k=SECRET", "example.com/…/basic.ics", id="secret-query"),
    pytest.param("https://example.com/?SECRET.ics", "example.com/…", id="only-a-query"),
    pytest.param("http://127.0.0.1:8702/SECRET", "127.0.0.1/…", id="sandbox"),
]  # fmt: skip


@pytest.mark.parametrize(("address", "text"), SHOWN)
def test_an_address_is_shown_without_what_gives_access(address: str, text: str) -> None:
    assert shown(address) == text


PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "2a00:1450:4001:80b::200e", "64:ff9b::5db8:d822",
          "2002:5db8:d822::1", "168.63.129.15", "168.63.129.17", "192.88.98.1", "192.0.1.1"]  # fmt: skip
INNER = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1", "fe80::1", "fe80::1%eth0", "2606:2800:220:1::1%eth0", "fec0::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "ff0e::1", "100::1", "2001:db8::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe", "2002:7f00:1::1", "2002:a9fe:a9fe::", "2002:a00:1::1", "2001:0:4136:e378::1",
    "2001:0:7f00:1::5601:1", "2606:2800:220:1:0:5efe:7f00:1", "2606:2800:220:1:200:5efe:a00:1", "4000::1",
    "168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::a83f:8110", "2002:a83f:8110::1", "192.0.0.192",
    "192.0.0.9", "192.88.99.1", "64:ff9b::c058:6301", "3fff::1", "3fff:fff:ffff::1",
    "", "localhost", "8.8.8.8 ", "0x7f.1", "2130706433",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", INNER)
def test_no_other_address_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_known(address: str) -> None:
    assert is_this_machine(address)


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "0.0.0.0", "::", "8.8.8.8", "", "localhost", "64:ff9b::7f00:1"]
)
def test_no_other_machine_is_this_one(address: str) -> None:
    assert not is_this_machine(address)


HERE = Place("https", "example.com", 443, "/a/b?c")
REDIRECTS = [
    pytest.param("/x", "https://example.com/x", id="path"),
    pytest.param("x", "https://example.com/a/x", id="beside"),
    pytest.param("//other.example/x", "https://other.example/x", id="host"),
    pytest.param("https://other.example/x", "https://other.example/x", id="address"),
    pytest.param("webcal://other.example/x", "https://other.example/x", id="webcal"),
    pytest.param("http://example.com/x", "", id="without-tls"),
    pytest.param("https://me:x@example.com/", "", id="password"),
    pytest.param("https://example.com:22/", "", id="port"),
    pytest.param("file:///etc/passwd", "", id="file"),
    pytest.param("https://[::1", "", id="half-a-bracket"),
]


@pytest.mark.parametrize(("location", "expected"), REDIRECTS)
def test_a_redirect_is_an_address_like_any(location: str, expected: str) -> None:
    try:
        found = redirected(HERE, location).url
    except FeedError as error:
        found, reason = "", error.reason
        assert reason == "refused_address"
    assert found == expected


def test_from_http_to_https_is_a_good_way() -> None:
    assert redirected(place_of("http://example.com/a"), "https://example.com/a").scheme == "https"
