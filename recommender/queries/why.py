"""Why an item stands in a viewer's feed, told when they ask: nothing of it is worked out while a page is drawn."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np

from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member
from recommender.models import Impression
from recommender.queries.past import Past, past
from recommender.queries.shelf import Shelf, shelf
from recommender.serving.social import followed_beside
from recommender.serving.space import Space
from recommender.serving.traits import Teller

NEAR = 0.3  # cosine from which an item of the history is named


class Near(NamedTuple):
    """What of a viewer's history an item is most like."""

    item: int
    title: str
    likeness: float  # cosine


class Reason(NamedTuple):
    """Something that speaks for an item; what it is about, where there is something to name."""

    code: str
    about: str = ""


@dataclass(frozen=True)
class Why:
    """An impression, what of the history is nearest to it, and what speaks for it, the source's own word first."""

    impression: Impression
    near: Near | None
    reasons: list[Reason]


def why(viewer: Member, *, item: int, page: uuid.UUID | None = None, at: datetime) -> Why | None:
    """Return why the item was on that page of the viewer's, or on the last one that it was on; None when it was not.

    What speaks for it is told by what is known now; a viewer who wants nothing personal is told nothing personal.
    """
    mine = Impression.objects.filter(viewer=viewer, item=item).select_related("item__creator", "item__topic")
    impression = (mine.filter(page=page) if page else mine).order_by("-shown_at", "-pk").first()
    if impression is None:
        return None
    done, everything = past(viewer, started=at, at=at), shelf(at=at)
    near = _near(impression.item, done, everything) if done.is_personal else None
    beside = _beside(impression.item.creator, done, everything) if done.is_personal else ""
    reasons = [_own(impression, near, beside), *_also(impression, done, everything, near, beside)]
    return Why(impression, near, list({reason.code: reason for reason in reversed(reasons)}.values())[::-1])


def _near(item: Item, done: Past, everything: Shelf) -> Near | None:
    """Return what the viewer wanted that the item is most like, if it is like any of it."""
    served = everything.served_to(done.viewer)
    wanted = done.history.item_ids[np.unique(done.history.item[done.history.positive])]
    wanted = wanted[wanted != item.pk]
    teller = Teller(everything.catalogue, served.space if served else Space(None), wanted, small_followers=0)
    likeness = teller.of(wanted).vectors @ teller.of(np.array([item.pk])).vectors[0]
    if not len(wanted) or likeness.max() < NEAR:
        return None
    best = int(likeness.argmax())
    title = Item.objects.filter(pk=wanted[best]).values_list("title", flat=True).first()
    return Near(int(wanted[best]), title or "", round(float(likeness[best]), 4))


def _own(impression: Impression, near: Near | None, beside: str) -> Reason:
    """Return the word of the source that gave the place."""
    of = Impression.Source
    item = impression.item
    about = {
        of.MODEL: near.title if near else "",
        of.SIMILAR: near.title if near else "",
        of.COLD: near.title if near else "",
        of.FOLLOWED: item.creator.name,
        of.INTERESTS: item.topic.slug if item.topic else "",
        of.SOCIAL: beside,
    }
    return Reason(impression.source, about.get(of(impression.source), ""))


def _beside(creator: Creator, done: Past, everything: Shelf) -> str:
    """Return the name of whom the viewer follows whose followers follow this creator too, if there is one."""
    served = everything.served_to(done.viewer)
    if served is None or creator.pk in done.followed:
        return ""
    found = followed_beside(served.bundle, done.followed, creator.pk)
    return Creator.objects.filter(pk=found).values_list("name", flat=True).first() or "" if found else ""


def _also(impression: Impression, done: Past, everything: Shelf, near: Near | None, beside: str) -> list[Reason]:
    """Return what speaks for the item beside that."""
    of, item = Impression.Source, impression.item
    told = []
    if done.is_personal:
        if item.creator_id in done.followed:
            told.append(Reason(of.FOLLOWED, item.creator.name))
        if beside:
            told.append(Reason(of.SOCIAL, beside))
        if item.topic and item.topic_id in done.chosen:
            told.append(Reason(of.INTERESTS, item.topic.slug))
        if near:
            told.append(Reason(of.SIMILAR, near.title))
    if item.pk in {offer.item for offer in everything.catalogue.popular}:
        told.append(Reason(of.POPULAR))
    if item.pk in {offer.item for offer in everything.fresh}:
        told.append(Reason(of.FRESH))
    return told
