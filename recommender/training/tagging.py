"""Read a tenant's new comments with its tagger, or with the installation's, and keep what they praise and blame."""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender import operations, queries
from recommender.ml.keywords import keywords
from recommender.ml.tagger.tagger import NoTagger, Tagger
from recommender.models import TextRun
from recommender.operations import Tagged
from recommender.training.devices import device

AT_ONCE = 500  # comments
FOLDER = "tagger"


def tag_comments(*, tenant: Tenant, at: datetime) -> None:
    """Tag what this tagger has not read. Call outside a scope; safe to be killed anywhere and to repeat."""
    with scope(tenant):
        folder = _folder()
    try:
        tagger = Tagger.load(folder)
    except NoTagger as none:
        _note(tenant, none.code if not folder.exists() else "broken_tagger", at)
        return
    tagger.model.to(device())
    after, read, told = 0, 0, 0
    while True:
        with scope(tenant):
            rows = queries.comments_to_tag(tagger=tagger.name, after=after, most=AT_ONCE)
        if not rows:
            break
        spans = tagger.tag([body for _, _, body in rows])
        found = [
            Tagged(comment, item, of, keywords(body)) for (comment, item, body), of in zip(rows, spans, strict=True)
        ]
        with scope(tenant):
            operations.store_signals(found=found, tagger=tagger.name, at=at)
        after, read, told = rows[-1][0], read + len(rows), told + sum(bool(of) for of in spans)
    _note(tenant, "told" if read else "nothing_new", at, read=read, told=told)


def _folder() -> Path:
    """Return where the scope's tenant has its tagger, or the installation its own."""
    own = tenant_folder(FOLDER)
    return own if own.exists() else Path(settings.STORAGE_DIR) / FOLDER


def _note(tenant: Tenant, outcome: str, at: datetime, *, read: int = 0, told: int = 0) -> None:
    with scope(tenant):
        operations.note_text_run(
            kind=TextRun.Kind.COMMENTS, outcome=outcome, began_at=at, at=timezone.now(), read=read, told=told
        )
