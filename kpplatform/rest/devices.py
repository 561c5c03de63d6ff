"""On what a request is made, as far as its headers tell: one word each for the device and the network, no more."""

import re
from collections.abc import Mapping

DEVICES = ("unknown", "phone", "tablet", "desktop", "tv")
NETWORKS = ("unknown", "wifi", "cellular")
UNKNOWN = DEVICES[0]

# The first that fits: a television and a tablet also say what their system is.
_AGENTS = (
    (
        "tv",
        re.compile(r"smart-?tv|apple ?tv|google ?tv|android tv|hbbtv|web0s|bravia|\baft[a-z]", re.IGNORECASE),
    ),
    ("tablet", re.compile(r"ipad|tablet|android(?!.*mobile)", re.IGNORECASE)),
    ("phone", re.compile(r"iphone|ipod|mobile|mobi\b", re.IGNORECASE)),
    ("desktop", re.compile(r"windows nt|macintosh|x11|cros|linux x86", re.IGNORECASE)),
)


def device_of(headers: Mapping[str, str]) -> str:
    """Return the kind of device, one of DEVICES, by `Sec-CH-UA-Mobile` where it says a phone, else by `User-Agent`."""
    agent = headers.get("User-Agent", "")[:500]
    told = next((device for device, pattern in _AGENTS if pattern.search(agent)), UNKNOWN)
    is_mobile = headers.get("Sec-CH-UA-Mobile") == "?1"
    return "phone" if is_mobile and told in {UNKNOWN, "desktop"} else told


def network_of(headers: Mapping[str, str]) -> str:
    """Return the network, one of NETWORKS: who saves data (`Save-Data`) is taken to pay for it, as on a mobile one."""
    return "cellular" if headers.get("Save-Data", "").lower() == "on" else UNKNOWN
