"""Giving and withdrawing consent, and publishing the words in which it is asked for."""

from datetime import datetime

from django.db import transaction

from catalog import queries
from catalog.models import Consent, ConsentTerms, Purpose
from catalog.queries import ConsentState
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import current_tenant_id


class OtherTerms(Conflict):
    code = "other_terms"


class NotYourTerms(Forbidden):
    code = "not_your_terms"


class NoText(Invalid):
    code = "no_text"


@transaction.atomic
def give_consent(*, viewer: Member, purpose: Purpose, version: int, at: datetime) -> ConsentState:
    """Agree to the purpose in the words of the version that holds; twice is once. Raises OtherTerms."""
    _hold(viewer)
    state = queries.consent_of(viewer, purpose)
    if version != state.terms.version:
        raise OtherTerms(f"The words that are asked in now are version {state.terms.version}.")
    return _say(viewer, state, is_given=True, at=at)


@transaction.atomic
def withdraw_consent(*, viewer: Member, purpose: Purpose, at: datetime) -> ConsentState:
    """Withdraw from the purpose, from the very next request on; nothing is deleted by it, and twice is once."""
    _hold(viewer)
    return _say(viewer, queries.consent_of(viewer, purpose), is_given=False, at=at)


@transaction.atomic
def publish_terms(
    *,
    purpose: Purpose,
    text_zh: str,
    text_en: str,
    is_asked_first: bool,
    asks_anew: bool = False,
    by: Member,
    at: datetime,
) -> ConsentTerms:
    """Ask for consent in these words from now on; consents to earlier ones hold unless it is asked anew.

    Raises NotYourTerms and NoText.
    """
    if not by.runs_the_tenant:
        raise NotYourTerms("Only the tenant's staff say in which words consent is asked for.")
    if not (text_zh.strip() and text_en.strip()):
        raise NoText("The words are needed in Chinese and in English.")
    Tenant.objects.select_for_update(no_key=True).get(pk=current_tenant_id())  # one version after the other
    before = queries.standing_terms(purpose)
    version = before.version + 1
    return ConsentTerms.objects.create(
        purpose=purpose,
        version=version,
        text_zh=text_zh,
        text_en=text_en,
        is_asked_first=is_asked_first,
        counts_from=version if asks_anew else before.counts_from,
        by=by,
        published_at=at,
    )


def _say(viewer: Member, state: ConsentState, *, is_given: bool, at: datetime) -> ConsentState:
    """Add a row unless the newest one says the same of the same words."""
    version, said = state.terms.version, state.said
    if said is None or (said.is_given, said.version) != (is_given, version):
        said = Consent.objects.create(
            viewer=viewer, purpose=state.terms.purpose, version=version, is_given=is_given, said_at=at
        )
    return ConsentState(state.terms, said)


def _hold(viewer: Member) -> None:
    """Let one after the other say what the viewer agrees to."""
    Member.objects.select_for_update(no_key=True).get(pk=viewer.pk)
