"""What a person is told when the servers cannot be had."""


class CannotStart(Exception):
    """The servers cannot be had; the message says why and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} (Or set DATABASE_URL and REDIS_URL to use servers of your own.)")


class PortTaken(CannotStart):
    """Somebody else listens on the port."""
