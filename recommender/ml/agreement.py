"""How far two people who mark the same texts agree, beyond what chance would have them agree.

κ = (p_o − p_e) / (1 − p_e): p_o is how often they say the same, p_e how often two would who say each label as often as
these do, but blindly. "A Coefficient of Agreement for Nominal Scales" (Cohen, 1960), formula 1.
"""

from collections import Counter
from collections.abc import Hashable, Sequence


def cohen_kappa(one: Sequence[Hashable], other: Sequence[Hashable]) -> float | None:
    """Return κ of two people's labels of the same things; None where it has no value.

    That is where there is nothing, or both say one and the same of everything. Raises ValueError for unequal lengths.
    """
    if len(one) != len(other):
        raise ValueError(f"{len(one)} labels beside {len(other)}.")
    if not one:
        return None
    observed = sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
    ours, theirs = Counter(one), Counter(other)
    expected = sum(count * theirs[label] for label, count in ours.items()) / len(one) ** 2
    return None if expected == 1 else (observed - expected) / (1 - expected)
