"""Who agreed to what, and whose events may be stored as theirs."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import Consent, ConsentTerms, Purpose
from kpplatform.tenancy.models import Member

# The terms of who has published none.
HOUSE_TEXT = {
    Purpose.PERSONAL_EVENTS: {
        "zh": "我们以你的名义保存你看过什么、打开过谁的主页和哪些商品、我们给你看过什么，用来决定接下来给你看什么。"
        "你可以随时撤回同意：此后的记录不再与你相连。",
        "en": "We keep what you watch, whose profile and which offers you open, and what we show you as yours, "
        "and decide by it what to show you next. "
        "You may withdraw at any time: what comes after is not linked to you.",
    },
    Purpose.TARGETED_ADS: {
        "zh": "我们按你的兴趣和所属人群挑选给你看的广告；广告主不会得知你是谁。"
        "不同意时你看到的广告同样多，但与你无关。",
        "en": "We choose the ads that you see by your interests and the segment you belong to; advertisers do not "
        "learn who you are. Without it you see as many ads, but none chosen for you.",
    },
}
ASKED_FIRST = {Purpose.TARGETED_ADS}

# Whether what a viewer does may be stored as theirs: a scalar for a larger statement, which gives tenant and viewer.
CONSENTS = f"""(
    SELECT CASE WHEN NOT said.is_given THEN false
                WHEN said.version >= coalesce(terms.counts_from, 0) THEN true
                ELSE NOT coalesce(terms.is_asked_first, false) END
    FROM (SELECT) nothing
    LEFT JOIN (SELECT is_given, version FROM catalog_consent
               WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s AND purpose = '{Purpose.PERSONAL_EVENTS}'
               ORDER BY id DESC LIMIT 1) said ON true
    LEFT JOIN (SELECT is_asked_first, counts_from FROM catalog_consentterms
               WHERE tenant_id = %(tenant)s AND purpose = '{Purpose.PERSONAL_EVENTS}'
               ORDER BY version DESC LIMIT 1) terms ON true
)"""  # noqa: S608  the purpose is ours


@dataclass(frozen=True)
class ConsentState:
    """What a viewer is asked for a purpose, what they said last, and whether it may be done."""

    terms: ConsentTerms
    said: Consent | None

    @property
    def holds(self) -> bool:
        """Return whether what the viewer does may be used for the purpose: as CONSENTS tells."""
        if self.said and not self.said.is_given:
            return False
        is_valid = self.said is not None and self.said.version >= self.terms.counts_from
        return is_valid or not self.terms.is_asked_first


def consent_of(viewer: Member, purpose: Purpose) -> ConsentState:
    """Return what the viewer is asked for this purpose, and what they said."""
    said = Consent.objects.filter(viewer=viewer, purpose=purpose).order_by("-pk").first()
    return ConsentState(standing_terms(purpose), said)


def standing_terms(purpose: Purpose) -> ConsentTerms:
    """Return the terms that hold now; those of the house, version 0, where none were published."""
    usual = ConsentTerms(
        purpose=purpose,
        version=0,
        text_zh=HOUSE_TEXT[purpose]["zh"],
        text_en=HOUSE_TEXT[purpose]["en"],
        is_asked_first=purpose in ASKED_FIRST,
        counts_from=0,
    )
    return published_terms().filter(purpose=purpose).order_by("-version").first() or usual


def published_terms() -> QuerySet[ConsentTerms]:
    """Return every version that was published, the newest first."""
    return ConsentTerms.objects.order_by("-pk")


def not_consenting() -> QuerySet[Any, int]:
    """Return the ids of the members whose events are not stored as theirs, the anonymous one among them."""
    terms = standing_terms(Purpose.PERSONAL_EVENTS)
    said = Consent.objects.filter(viewer=OuterRef("pk"), purpose=Purpose.PERSONAL_EVENTS)
    newest = said.exclude(Exists(_later_than(OuterRef("pk"))))
    if terms.is_asked_first:
        refuse = ~Q(Exists(newest.filter(is_given=True, version__gte=terms.counts_from)))
    else:
        refuse = Q(Exists(newest.filter(is_given=False)))
    members = Member.objects.filter(Q(role=Member.Role.ANONYMOUS) | refuse)
    return members.order_by().values_list("pk", flat=True)


def _later_than(row: OuterRef) -> QuerySet[Consent]:
    return Consent.objects.filter(viewer=OuterRef("viewer"), purpose=OuterRef("purpose"), pk__gt=row)
