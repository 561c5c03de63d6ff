"""What is done with the catalogue: publish, teach, grant, react, talk, watch."""

from catalog.operations.access import (
    NotBought,
    grant_access,
    grant_pass,
    grant_passes,
    move_ends,
    play_lesson,
    revoke_access,
    revoke_source,
)
from catalog.operations.comments import NoSuchParent, comment, delete_comment
from catalog.operations.consents import (
    NoText,
    NotYourTerms,
    OtherTerms,
    give_consent,
    publish_terms,
    withdraw_consent,
)
from catalog.operations.courses import (
    add_lesson,
    add_section,
    remove_lesson,
    remove_section,
    revise_lesson,
    revise_section,
)
from catalog.operations.items import (
    NotYours,
    add_topic,
    draft_course,
    draft_video,
    must_own,
    revise_item,
    revise_topic,
)
from catalog.operations.muting import NoWord, TooManyWords, mute_word, unmute_word
from catalog.operations.publishing import NothingToPublish, WrongState, publish, schedule, take_down, withdraw
from catalog.operations.reactions import react, recount, recount_all, take_back
from catalog.operations.recleaning import clean_again
from catalog.operations.reports import report
from catalog.operations.rulings import (
    AnsweredAlready,
    NothingToAppeal,
    NotYourRuling,
    TakenDown,
    answer_appeal,
    appeal,
    rule_copies,
)
from catalog.operations.watching import Event, Recorded, UnknownItem, hour_of, record_watches

__all__ = [
    "AnsweredAlready",
    "Event",
    "NoSuchParent",
    "NoText",
    "NoWord",
    "NotBought",
    "NotYourRuling",
    "NotYourTerms",
    "NotYours",
    "NothingToAppeal",
    "NothingToPublish",
    "OtherTerms",
    "Recorded",
    "TakenDown",
    "TooManyWords",
    "UnknownItem",
    "WrongState",
    "add_lesson",
    "add_section",
    "add_topic",
    "answer_appeal",
    "appeal",
    "clean_again",
    "comment",
    "delete_comment",
    "draft_course",
    "draft_video",
    "give_consent",
    "grant_access",
    "grant_pass",
    "grant_passes",
    "hour_of",
    "move_ends",
    "must_own",
    "mute_word",
    "play_lesson",
    "publish",
    "publish_terms",
    "react",
    "record_watches",
    "recount",
    "recount_all",
    "remove_lesson",
    "remove_section",
    "report",
    "revise_item",
    "revise_lesson",
    "revise_section",
    "revise_topic",
    "revoke_access",
    "revoke_source",
    "rule_copies",
    "schedule",
    "take_back",
    "take_down",
    "unmute_word",
    "withdraw",
    "withdraw_consent",
]
