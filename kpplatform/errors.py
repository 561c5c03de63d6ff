"""What the platform says no with. A refusal has a code and a status; anything else that is raised is a bug."""

from typing import ClassVar


class Refused(Exception):
    """An expected no: the caller asked for something that cannot be had, and is told why."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.code)
        self.detail = detail or self.code


class Invalid(Refused):
    """What was sent makes no sense."""

    code = "invalid"
    status = 400


class PaymentNeeded(Refused):
    """It has a price that has not been paid."""

    code = "payment_needed"
    status = 402


class Forbidden(Refused):
    """It exists, but not for this member."""

    code = "forbidden"
    status = 403


class NotFound(Refused):
    """There is no such thing in this tenant."""

    code = "not_found"
    status = 404


class Conflict(Refused):
    """It contradicts what is already there."""

    code = "conflict"
    status = 409
