"""What can be made to go wrong, on demand: the next so many times that something is done."""

import threading
from dataclasses import dataclass
from enum import StrEnum

WEBHOOK = "webhook"


class Kind(StrEnum):
    """For requests: fail or hang after the commit, too many requests, refuse; for charges, decline for now or for good.

    The rest is for messages and reports.
    """

    FAIL_AFTER_COMMIT = "fail_after_commit"
    TIME_OUT_AFTER_COMMIT = "time_out_after_commit"
    TOO_MANY = "too_many"
    REFUSE = "refuse"
    DECLINE_SOFT = "decline_soft"
    DECLINE_HARD = "decline_hard"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DELAY = "delay"
    DROP = "drop"
    WRONG_FEE = "wrong_fee"
    WRONG_AMOUNT = "wrong_amount"
    MISSING_ROW = "missing_row"
    EXTRA_ROW = "extra_row"
    TWICE_ROW = "twice_row"


@dataclass
class Fault:
    """What goes wrong, where (a path, or `webhook`), how often, and for how many seconds."""

    on: str
    kind: Kind
    times: int = 1
    seconds: float = 10.0


class Faults:
    """The faults that are still to come."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.lock = threading.Lock()

    def plan(self, fault: Fault) -> None:
        with self.lock:
            self.planned.append(fault)

    def next(self, on: str) -> Fault | None:
        """Return what goes wrong this time, if anything."""
        with self.lock:
            fault = next((fault for fault in self.planned if fault.on == on), None)
            if fault:
                fault.times -= 1
                if fault.times <= 0:
                    self.planned.remove(fault)
            return fault
