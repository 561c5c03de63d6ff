"""What a buyer says with what they order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Said:
    """Words beside a line of an order: to whom money is given, and what a creator who is asked needs to know."""

    message: str = ""
    is_anonymous: bool = False
    intake: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


NOTHING = Said()
