"""What is done about disputes: heard of, answered, accepted."""

from billing.operations.dispute_answers import (
    AnswerKeyTaken,
    AnswerUnderWay,
    BadEvidence,
    DisputeOver,
    NothingToSay,
    accept_dispute,
    add_evidence,
    begin_dispute_answer,
    resolve_dispute_answer,
    send_dispute_answer,
    submit_evidence,
)
from billing.operations.disputes import CannotBe, ask_about_dispute, hear_of_dispute, is_settled, note_dispute

__all__ = [
    "AnswerKeyTaken",
    "AnswerUnderWay",
    "BadEvidence",
    "CannotBe",
    "DisputeOver",
    "NothingToSay",
    "accept_dispute",
    "add_evidence",
    "ask_about_dispute",
    "begin_dispute_answer",
    "hear_of_dispute",
    "is_settled",
    "note_dispute",
    "resolve_dispute_answer",
    "send_dispute_answer",
    "submit_evidence",
]
