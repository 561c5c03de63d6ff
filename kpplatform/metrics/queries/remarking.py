"""Remarks on titles, descriptions and tags, in words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog.queries import Fault, Remark
from catalog.queries.titles import FEWEST_TAGS, NARROWEST, SHORTEST_DESCRIPTION, WIDEST

SENTENCES = {
    Fault.TOO_SHORT: gettext_noop("The title says too little: it is %(found)s wide, %(narrowest)s is the least."),
    Fault.TOO_LONG: gettext_noop("Phones cut the title off: it is %(found)s wide, %(widest)s is the most."),
    Fault.NO_TOPIC: gettext_noop("It has no topic: viewers who chose one are not offered it."),
    Fault.NO_TOPIC_WORD: gettext_noop("The title has none of the words it is found by: %(found)s."),
    Fault.SAME_TITLE: gettext_noop("Others of yours have the same title: %(found)s."),
    Fault.FEW_TAGS: gettext_noop("Tags: %(found)s; %(tags)s tell what it is like."),
    Fault.SHORT_DESCRIPTION: gettext_noop("The description is %(found)s wide; %(description)s is the least."),
    Fault.SHOUTING: gettext_noop("The title shouts."),
}
BOUNDS = {"narrowest": NARROWEST, "widest": WIDEST, "tags": FEWEST_TAGS, "description": SHORTEST_DESCRIPTION}


def sentence(remark: Remark) -> str:
    """Return a remark as a sentence with its numbers."""
    return _(SENTENCES[remark.fault]) % (BOUNDS | {"found": remark.found})
