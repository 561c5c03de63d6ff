"""Between which numbers a tenant's rules for ads lie: others are refused where they are set, and never used."""

from collections.abc import Mapping
from typing import Any

from billing.money import WHOLE_BPS
from kpplatform.errors import Invalid

HOUR_MS = 3_600_000
# Least and most; a whole number's are whole numbers. What offers are looked at for (learning, billing late, caps of a
# session) is over long before the least `keep_days`; a trial of loads keeps them longer.
LIMITS: Mapping[str, tuple[int, int] | tuple[float, float]] = {
    "every": (0, 1_000),
    "floor": (0, 10**9),
    "least_taste": (0.0, 1.0),
    "creators_bps": (0, WHOLE_BPS),
    "view_share": (0.01, 1.0),
    "view_ms": (1, HOUR_MS),
    "video_view_ms": (1, HOUR_MS),
    "click_ms": (0, HOUR_MS),
    "clicks_an_hour": (1, 10_000),
    "qualified_ms": (1, HOUR_MS),
    "least_delivered": (0.0, 1.0),
    "make_good_bps": (0, WHOLE_BPS),
    "hold_hours": (0, 24 * 60),
    "keep_days": (60, 3_650),
}


class BadAdRules(Invalid):
    code = "bad_ad_rules"


def must_be_rules(changes: Mapping[str, Any]) -> None:
    """Raise BadAdRules, which names every mistake, unless each of these rules is a number within its limits."""
    wrong = [mistake for name, value in changes.items() if (mistake := _mistake(name, value))]
    if wrong:
        raise BadAdRules(" ".join(wrong))


def _mistake(name: str, value: Any) -> str:
    if name not in LIMITS:
        return f"There is no rule {name}."
    least, most = LIMITS[name]
    kinds, told = ((int,), "whole number") if isinstance(least, int) else ((int, float), "number")
    if type(value) not in kinds or not least <= value <= most:  # true is no 1, and what is no number lies nowhere
        return f"{name} is a {told} from {least} to {most}, not {value!r}."
    return ""
