"""What can be told of the catalogue: what there is, who may watch it, what happened."""

from catalog.queries.access import granted_to, open_lessons, playable_by, watchable_by
from catalog.queries.comments import comments_of, unanswered
from catalog.queries.consents import (
    CONSENTS,
    ConsentState,
    consent_of,
    not_consenting,
    published_terms,
    standing_terms,
)
from catalog.queries.facts import Facts, forget_items, playable_facts
from catalog.queries.interactions import INTERACTION, Interaction, Kind, history, interactions_between, interactions_of
from catalog.queries.items import (
    Card,
    cards,
    lessons,
    listed,
    outline,
    owned_by,
    published,
    reactions_to,
    topics,
    visible_to,
)
from catalog.queries.muting import comment_is_muted, muted_words
from catalog.queries.reports import reports_by
from catalog.queries.rulings import no_copies, rulings_for, rulings_of, untold_answers, untold_rulings
from catalog.queries.telling import AboutItem, ToldOfItem, about_items, told_of_items
from catalog.queries.titles import Fault, Remark, remarks
from catalog.queries.watches import quarantined, watches_of

__all__ = [
    "CONSENTS",
    "INTERACTION",
    "AboutItem",
    "Card",
    "ConsentState",
    "Facts",
    "Fault",
    "Interaction",
    "Kind",
    "Remark",
    "ToldOfItem",
    "about_items",
    "cards",
    "comment_is_muted",
    "comments_of",
    "consent_of",
    "forget_items",
    "granted_to",
    "history",
    "interactions_between",
    "interactions_of",
    "lessons",
    "listed",
    "muted_words",
    "no_copies",
    "not_consenting",
    "open_lessons",
    "outline",
    "owned_by",
    "playable_by",
    "playable_facts",
    "published",
    "published_terms",
    "quarantined",
    "reactions_to",
    "remarks",
    "reports_by",
    "rulings_for",
    "rulings_of",
    "standing_terms",
    "told_of_items",
    "topics",
    "unanswered",
    "untold_answers",
    "untold_rulings",
    "visible_to",
    "watchable_by",
    "watches_of",
]
