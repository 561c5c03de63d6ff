"""What there is, who may watch it, what was watched."""

from catalog.models.access import Access, Pass
from catalog.models.consents import Consent, ConsentTerms, Purpose
from catalog.models.courses import Lesson, Section
from catalog.models.items import (
    LARGEST_SIDE,
    LIVE_STATES,
    LONGEST_VIDEO_MS,
    LOUDEST,
    QUIETEST,
    Course,
    Item,
    OfKind,
    Topic,
    Video,
)
from catalog.models.muted import MutedWord
from catalog.models.opinions import Comment, Reaction, Report
from catalog.models.rulings import Appeal, Ruling
from catalog.models.watches import Source, Watch

__all__ = [
    "LARGEST_SIDE",
    "LIVE_STATES",
    "LONGEST_VIDEO_MS",
    "LOUDEST",
    "QUIETEST",
    "Access",
    "Appeal",
    "Comment",
    "Consent",
    "ConsentTerms",
    "Course",
    "Item",
    "Lesson",
    "MutedWord",
    "OfKind",
    "Pass",
    "Purpose",
    "Reaction",
    "Report",
    "Ruling",
    "Section",
    "Source",
    "Topic",
    "Video",
    "Watch",
]
