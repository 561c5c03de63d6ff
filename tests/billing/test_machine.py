"""Whatever happens in whatever order, however often: after every step the books are in order.

The machine sells, also in parts, renews memberships, refunds, disputes, pays out, lets the provider divide, compares
reports and closes months, while providers fail and messages come twice, late or never. What the house says is held
against a small model and the provider's own book.
"""

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from billing.providers.sandbox.server import Server
from tests.billing.machine.comparing import Comparing
from tests.billing.machine.disputing import Disputing
from tests.billing.machine.dividing import Dividing
from tests.billing.machine.leaving import Leaving
from tests.billing.machine.parting import Parting


class House(Leaving, Parting, Disputing, Dividing, Comparing):
    """All of it, interleaved."""


def test_the_books_are_right_after_every_step(db: None, sandbox: Server) -> None:
    House.sandbox = sandbox
    run_state_machine_as_test(
        House,
        settings=settings(
            max_examples=10,
            phases=[Phase.generate],  # a step is dozens of statements: shrinking would take many minutes
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
