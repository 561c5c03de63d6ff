"""What is done with the catalogue: publish, teach, grant, react, talk, watch."""

from catalog.operations.access import NotBought, grant_access, play_lesson, revoke_access
from catalog.operations.comments import NoSuchParent, comment, delete_comment
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
    revise_item,
    revise_topic,
)
from catalog.operations.publishing import NothingToPublish, WrongState, publish, schedule, withdraw
from catalog.operations.reactions import react, recount, take_back

__all__ = [
    "NoSuchParent",
    "NotBought",
    "NotYours",
    "NothingToPublish",
    "WrongState",
    "add_lesson",
    "add_section",
    "add_topic",
    "comment",
    "delete_comment",
    "draft_course",
    "draft_video",
    "grant_access",
    "play_lesson",
    "publish",
    "react",
    "recount",
    "remove_lesson",
    "remove_section",
    "revise_item",
    "revise_lesson",
    "revise_section",
    "revise_topic",
    "revoke_access",
    "schedule",
    "take_back",
    "withdraw",
]
