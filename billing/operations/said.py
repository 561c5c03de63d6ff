"""What a buyer says with what they order."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """Words beside a line of an order: to whom money is given, and whether in one's own name."""

    message: str = ""
    is_anonymous: bool = False


NOTHING = Said()
