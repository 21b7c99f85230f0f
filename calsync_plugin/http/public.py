"""Which addresses of the internet may be called on behalf of somebody who typed a name.

Decides that an address is public: everybody's, and neither this machine, nor its network, nor a service that
only machines in this network can reach. Looks into addresses that carry another one. Resolves nothing.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_INNER_4 = (
    IPv4Network("168.63.129.16/32"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
)
"""Global by their numbers and yet inner: what tells machines at Azure about themselves; services of
protocols, as what did the same at Oracle; and relays of 6to4, of which nobody knows whose they are."""
_INNER_6 = IPv6Network("3fff::/20")
"""RFC 9637: for examples in documents."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052. Machines without IPv4 get the names of the whole IPv4 internet in it."""
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""RFC 5214: the third word of an address whose last one is an address of IPv4."""


def is_public(text: str) -> bool:
    """Whether an address, as a resolver gives it, belongs to the public internet."""
    address = _address(text)
    if isinstance(address, IPv6Address):
        return _is_public_6(address)
    return address is not None and _is_public_4(address)


def leads_inside(host: str) -> bool:
    """Whether a host, before it is looked up, is this machine or an address of no public network."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return _address(host) is not None and not is_public(host)


def is_this_machine(text: str) -> bool:
    """Whether an address is this machine's own; one of IPv4 in the clothes of IPv6, too."""
    address = _address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address is not None and address.is_loopback


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_public_4(address: IPv4Address) -> bool:
    if any(address in network for network in _INNER_4):
        return False
    return address.is_global and not address.is_multicast


def _is_public_6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return _is_public_4(address.ipv4_mapped)
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64:
        return _is_public_4(last)
    if address not in _GLOBAL_UNICAST or address in _INNER_6 or not address.is_global or address.is_multicast:
        return False
    carried = [address.sixtofour] if address.sixtofour else []
    carried += address.teredo or ()
    if int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
        carried.append(last)
    return all(map(_is_public_4, carried))
