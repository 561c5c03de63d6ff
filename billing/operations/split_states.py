"""How a division, and a return of what it gave, goes from state to state: saved, noted, asked about again."""

from datetime import datetime, timedelta

from billing.models import SplitOrder, SplitReturn, StateChange
from billing.models.splits import SplitState
from billing.operations.backoff import again
from kpplatform.jobs.operations import enqueue

State, Of = SplitState, StateChange.Of
FIRST_QUESTION, LATEST_QUESTION = timedelta(seconds=30), timedelta(hours=1)


def move(row: SplitOrder | SplitReturn, state: str, *, at: datetime, why: str = "") -> None:
    """Save it in its new state, and note when and why."""
    before, row.state = row.state, state
    row.reason = why[:200] if state == State.FAILED else row.reason
    row.done_at = at if state in {State.DONE, State.FAILED} else None
    row.save()
    if before != state:
        note(row, before=before, why=why, at=at)


def note(row: SplitOrder | SplitReturn, *, before: str, why: str = "", at: datetime) -> None:
    """Write down what became of it; nobody does this by hand."""
    of = Of.SPLIT if isinstance(row, SplitOrder) else Of.SPLIT_RETURN
    told = {"before": before, "after": row.state, "why": why[:200], "changed_at": at}
    StateChange.objects.create(of=of, row=row.pk, **told)


def lose_sight(row: SplitOrder | SplitReturn, at: datetime) -> None:
    """Note that nobody knows whether the provider has done it, and have it asked."""
    move(row, State.UNKNOWN, why="its answer was lost", at=at)
    ask_later(row, at)


def tell_again(row: SplitOrder | SplitReturn, at: datetime) -> None:
    """Have the provider told under the same key, for it knows nothing of it; while it was pending, asked once more."""
    if row.state != State.UNKNOWN:
        ask_later(row, at)
        return
    move(row, State.ASKED, why="the provider knows nothing of it", at=at)
    if isinstance(row, SplitOrder):
        enqueue("billing.tasks.send_split", due_at=at, order_id=row.pk)
    else:
        enqueue("billing.tasks.send_split_return", due_at=at, return_id=row.pk)


def ask_later(row: SplitOrder | SplitReturn, at: datetime) -> None:
    """Have the provider asked what became of it: soon, then as long again as it has lasted, at least each hour."""
    due = again(at=at, since=row.asked_at, first=FIRST_QUESTION, latest=LATEST_QUESTION)
    if isinstance(row, SplitOrder):
        enqueue("billing.tasks.resolve_split", due_at=due, order_id=row.pk)
    else:
        enqueue("billing.tasks.resolve_split_return", due_at=due, return_id=row.pk)
