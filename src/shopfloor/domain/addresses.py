"""Which network addresses belong to the public network: for what is fetched or sent where somebody else said.

The list says what is public, and everything else is not: this machine, private networks, links, multicast,
and the addresses at which a cloud tells a machine its secrets.  An address of IPv4 that stands inside one of
IPv6 is judged by what it leads to.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

# Python's own list has grown over its versions, so what matters here does not lean on it.
_NEVER_IPV4 = (
    ip_network("192.0.0.0/24"),  # for protocols; a cloud's metadata is at 192.0.0.192
    ip_network("192.88.99.0/24"),  # gateways of a tunnel
    ip_network("168.63.129.16/32"),  # a cloud's metadata, at an address that looks public
)
_UNICAST_IPV6 = IPv6Network("2000::/3")
# Tunnels: behind these is an address of IPv4 that a gateway chooses.
_TUNNELS = (IPv6Network("2001::/23"), IPv6Network("2002::/16"))
_TRANSLATED = IPv6Network("64:ff9b::/96")
_IPV4_BITS = 0xFFFFFFFF


def is_public(address: str) -> bool:
    """Whether an address, as the system spells it, is one of the public network."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv4Address):
        return _is_public_ipv4(found)
    inner = found.ipv4_mapped
    if inner is None and found in _TRANSLATED:
        inner = IPv4Address(int(found) & _IPV4_BITS)
    return _is_public_ipv6(found) if inner is None else _is_public_ipv4(inner)


def _is_public_ipv4(found: IPv4Address) -> bool:
    listed = any(found in network for network in _NEVER_IPV4)
    return found.is_global and not found.is_multicast and not listed


def _is_public_ipv6(found: IPv6Address) -> bool:
    tunnelled = any(found in network for network in _TUNNELS)
    return found in _UNICAST_IPV6 and found.is_global and not tunnelled
