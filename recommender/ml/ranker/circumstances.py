"""On what something was watched: the kind of device and of network as one small number, or as columns of 0 and 1.

Code 0 means that nothing is known. Shapes: M questions or events, C columns.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Flags, Floats, Longs

DEVICES = ("unknown", "phone", "tablet", "desktop", "tv")
NETWORKS = ("unknown", "wifi", "cellular")
NAMES = (*(f"on_{device}" for device in DEVICES[1:]), *(f"by_{network}" for network in NETWORKS[1:]))
UNKNOWN = 0
_STEP = 8  # more than there are devices
_SPLIT = len(DEVICES) - 1

Codes = NDArray[np.int8]
Place = TypeVar("Place", int, Longs)


def code(device: Place, network: Place) -> Place:
    """Return the number of a place in DEVICES and one in NETWORKS, or of many."""
    return device + _STEP * network


def device_in(code: int) -> int:
    """Return the place in DEVICES that a code tells."""
    return code % _STEP


def columns(codes: Codes) -> Floats:
    """Return what codes (M,) say as columns (M, C) of 0 and 1, in the order of NAMES; only zeros where unknown."""
    devices, networks = codes % _STEP, codes // _STEP
    of_device = devices[:, None] == np.arange(1, len(DEVICES))
    of_network = networks[:, None] == np.arange(1, len(NETWORKS))
    return np.concatenate([of_device, of_network], axis=1, dtype=np.float32)


def codes(told: Floats | Flags) -> Codes:
    """Return the codes (M,) of columns (M, C); where several say something the first one counts."""
    devices, networks = _first(told[:, :_SPLIT]), _first(told[:, _SPLIT:])
    return (devices + _STEP * networks).astype(np.int8)


def _first(told: Floats | Flags) -> NDArray[np.int64]:
    return np.where(told.any(axis=1), told.argmax(axis=1) + 1, 0)
