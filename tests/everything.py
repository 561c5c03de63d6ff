"""A tenant with one of everything, so that pages and endpoints of all floors can be asked about all of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import uuid4

import numpy as np

from billing import operations as billing
from billing.models import EbookCopy, LineShare, Order, PaymentMethod, Product, Subscription, WebhookEvent
from billing.providers import Reported
from catalog import operations as catalog
from catalog.models import Comment, Item, Pass, Purpose, Reaction, Report, Ruling, Topic, Watch
from creators import operations as creators
from creators.models import Creator
from kpplatform.jobs import operations as jobs
from kpplatform.rest.models import KeyedRequest
from kpplatform.tenancy import operations as tenancy
from kpplatform.tenancy.models import Member
from recommender import operations
from recommender.models import (
    Addressee,
    AlikePair,
    Audience,
    Campaign,
    CommentSignal,
    Experiment,
    Exposure,
    FeedSettings,
    FeedSettingsChange,
    Impression,
    ModelVersion,
    NoisyAnswer,
    Portrait,
    PortraitRefusal,
    PortraitRun,
    PropensityReport,
    RatingMapping,
    Rule,
    Segment,
    SpanLabel,
    TextRun,
    TopicSuggestion,
    TrainingRun,
    VersionChange,
)
from tests import make
from tests.billing import books, shop
from tests.billing.ads import adverts
from tests.billing.disputes import disputed_gift
from tests.billing.elsewhere import earned_elsewhere
from tests.billing.papers import billed
from tests.billing.parts import in_parts
from tests.billing.paying import paid_out
from tests.billing.splits import asked_back, divided_gift
from tests.billing.trials import sold_while_tried
from tests.catalog import things
from tests.conftest import NOON
from tests.metrics import happened
from tests.recommender.noticed import noticed


@dataclass(frozen=True)
class Everything:
    """Who and what the rest can be found from."""

    viewer: Member
    staff: Member
    creator: Creator
    topic: Topic
    video: Item
    course: Item
    events: ClassVar[int] = 2

    @property
    def publisher(self) -> Member:
        member: Member = self.creator.member
        return member


def furnish() -> Everything:
    """Fill the scope's tenant. Call inside a scope."""
    creator = things.creator(make.member(Member.Role.CREATOR))
    course = things.course(creator)
    billing.set_price(item=course, by=creator.member, amount=shop.yuan(10_000), at=NOON)
    topic = things.topic()
    found = Everything(
        viewer=make.member(),
        staff=make.member(Member.Role.ADMIN),
        creator=creator,
        topic=topic,
        video=things.video(creator, topic=topic),
        course=course,
    )
    _watched(found)
    _bought(found)
    _served(found)
    _tried(found)
    _portrayed(found)
    _decided(found)
    _read(found)
    happened.once(found.viewer, found.course)
    return found


def _watched(found: Everything) -> None:
    viewer, video = found.viewer, found.video
    creators.follow(viewer=viewer, creator=found.creator, at=NOON)
    catalog.react(viewer=viewer, item=video, kind=Reaction.Kind.LIKE, at=NOON)
    catalog.comment(viewer=viewer, item=video, body="Bravo!", parent_id=None, at=NOON)
    other = things.creator()
    creators.hide_creator(viewer=found.staff, creator=other, at=NOON)
    catalog.report(viewer=found.staff, item=video, reason=Report.Reason.SPAM, text="Again.", at=NOON)
    catalog.mute_word(viewer=found.staff, word="casino", at=NOON)
    ruling = Ruling.objects.create(item=video, rule="copy", effect="last", ruled_at=NOON)
    catalog.appeal(ruling=ruling, by=found.publisher, text="It is not.", at=NOON)
    personal = Purpose.PERSONAL_EVENTS
    catalog.publish_terms(
        purpose=personal, text_zh="请同意。", text_en="Please agree.", is_asked_first=False, by=found.staff, at=NOON
    )
    catalog.give_consent(viewer=viewer, purpose=personal, version=1, at=NOON)
    for reason in (Watch.Quarantine.CLEAN, Watch.Quarantine.BOT):
        seen = {"started_at": datetime.now(UTC), "received_at": datetime.now(UTC), "watch_ms": 30_000}
        Watch.objects.create(
            event_id=uuid4(), viewer=viewer, item=video, duration_ms=60_000, quarantine=reason, source="feed", **seen
        )


def _bought(found: Everything) -> None:
    order = shop.bought(found.viewer, found.course)
    shop.give_back(order, 1_000)
    shop.closed_before(order)
    _shared(found)
    _read_books(found, order)
    shop.discounted(order, found.creator, by=found.staff)
    disputed_gift(found.creator, by=found.staff)
    shop.offered(found.creator, found.course, minor=12_000)
    sold_while_tried(found.creator, found.course)
    Pass.objects.create(viewer=found.viewer, creator=found.creator, source="order:0", starts_at=NOON, ends_at=NOON)
    whole = shop.line_of(order)
    LineShare.objects.create(line=whole, creator=found.creator, role=LineShare.Role.OWNER, amount=whole.share)
    divided_gift(found.creator)
    billing.mature(at=NOON + timedelta(days=7))
    asked_back()
    shop.coined(found.staff, 1_000)
    rose = billing.make_gift(by=found.staff, name_zh="玫瑰", name_en="Rose", coins=5, at=NOON)
    billing.give_gift(viewer=found.staff, gift=rose, creator=found.creator, key="rose", at=NOON)
    billing.answer(consultation=shop.asked_for(found.staff, found.creator), by=found.publisher, body="Play.", at=NOON)
    in_parts(found.course, found.staff)
    _joined(found)
    adverts.everything(found.creator, by=found.staff)
    paid_out(found.creator, by=found.staff)
    billing.paying.settle(month=NOON.date(), at=NOON + timedelta(days=32))
    adverts.stated(at=NOON + timedelta(days=32))
    billed(order, found.creator, by=found.staff)
    earned_elsewhere(found.creator, by=found.staff)
    WebhookEvent.objects.create(provider="sandbox", event_id="evt_1", body=b"{}", received_at=NOON)
    _by_bank(found)
    since, until = NOON - timedelta(days=30), NOON - timedelta(days=29)
    rows = [Reported("payment", "co_unknown", "pay_unknown", shop.yuan(100), 1, since)]
    billing.reconcile(report=billing.Report("sandbox", since, until, rows, found.staff), at=NOON)
    billing.connect_provider(by=found.staff, provider="sandbox", public={}, secrets={}, at=NOON)


def _by_bank(found: Everything) -> None:
    """A gift that is paid by bank, and about which one of two of the staff has decided."""
    public = {"instructions": "Bank 1, account 2", "four_eyes_above": "0"}
    billing.connect_provider(by=found.staff, provider="offline", public=public, secrets={}, at=NOON)
    billing.choose_checkout(by=found.staff, provider="offline", at=NOON)
    other, gift = make.member(), billing.Wanted(creator=found.creator, amount=shop.yuan(500))
    order = billing.order_all(viewer=other, wanted=[gift], key="by bank", at=NOON)
    billing.choose_checkout(by=found.staff, provider="sandbox", at=NOON)
    proof = billing.send_proof(order=order, by=other, reference="B1", content=b"%PDF-1", at=NOON)
    billing.decide_proof(proof=proof, by=found.staff, is_approved=True, why="", at=NOON)


def _joined(found: Everything) -> None:
    tier = billing.make_tier(by=found.publisher, creator=found.creator, title="Club", items=[found.course], at=NOON)
    plan = billing.add_plan(tier=tier, by=found.publisher, interval="month", amount=shop.yuan(3_000), at=NOON)
    order = shop.bought_all(found.staff, billing.Wanted(product=plan.product), key="club")
    billing.give_membership(viewer=found.staff, plan=plan, to=found.viewer, key="given", at=NOON)
    of = Subscription.objects.get(periods__order=order)
    of.method = PaymentMethod.objects.create(member=found.staff, key="pm", reference="pm", state="saved", made_at=NOON)
    of.save()
    billing.renew_some(at=of.ends_at)


def _shared(found: Everything) -> None:
    publisher = found.publisher
    billing.propose_collaboration(by=publisher, thing=found.course, creator=things.creator(), bps=500, at=NOON)
    billing.set_affiliate_terms(creator=found.creator, by=publisher, first_bps=1_000, second_bps=100, at=NOON)
    code = billing.become_affiliate(member=publisher, at=NOON).code
    billing.refer(viewer=found.viewer, code=code, at=NOON)


def _read_books(found: Everything, order: Order) -> None:
    book = shop.offered(found.creator, minor=500, kind=Product.Kind.EBOOK, title="E-book")
    billing.upload_ebook(product=book, by=found.publisher, content=books.pdf(), at=NOON)
    line = {"line": shop.line_of(order), "source": "order:0:0", "granted_at": NOON}
    EbookCopy.objects.create(product=book, viewer=found.staff, **line)


def _served(found: Everything) -> None:
    tenancy.issue_token(member=found.publisher, name="robot", scopes=["read"], at=NOON)
    jobs.enqueue("tests.jobs_for_tests.note", text="x")
    KeyedRequest.objects.create(member=found.viewer, key="key", digest=b"x" * 32, status=201, body={})
    version = ModelVersion.objects.create(
        kind="als",
        state=ModelVersion.State.REJECTED,
        reason="too little",
        metrics={"models": {"als": {"hr@10": 0.1234, "ndcg@10": 0.05}, "popularity": {"hr@10": 0.1, "ndcg@10": 0.04}}},
        events=Everything.events,
        data="0" * 64,
        trained_at=NOON,
    )
    shown = {"page": uuid4(), "position": 0, "propensity": 0.5, "shown_at": NOON}
    for viewer in (found.viewer, found.staff):
        Impression.objects.create(viewer=viewer, item=found.video, version=version, source="fresh", **shown)
    FeedSettings.objects.create(changed_at=NOON)
    FeedSettingsChange.objects.create(by=found.staff, before={"popular": 0.1}, after={"popular": 0.06}, changed_at=NOON)
    RatingMapping.objects.create(by=found.staff, like=4, changed_at=NOON)
    said = {"before": "", "after": ModelVersion.State.REJECTED, "why": "too little", "changed_at": NOON}
    VersionChange.objects.create(version=version, by=found.staff, **said)
    TrainingRun.objects.create(
        kind=TrainingRun.Kind.DAILY,
        version=version,
        curves={"gru": [{"step": 1, "loss": 0.7}, {"step": 2, "loss": 0.5, "quality": 0.1}]},
        costs={"gru": {"seconds": 1.5, "peak_mb": 20.0}},
        metrics=version.metrics | {"best": "als"},
        notes=[{"at": "12:00:00", "what": "note"}],
        data_until=NOON,
        started_at=NOON,
        updated_at=NOON,
    )


def _tried(found: Everything) -> None:
    arms = [{"name": "control", "share": 0.5, "settings": {}}, {"name": "bold", "share": 0.5, "settings": {}}]
    said = {"hypothesis": "More is more.", "metric": "watch_minutes", "created_at": NOON, "started_at": NOON}
    experiment = Experiment.objects.create(name="bold", arms=arms, state="running", **said)
    Exposure.objects.create(experiment=experiment, viewer=found.viewer, arm="bold", exposed_at=NOON)
    operations.read_experiment(experiment=experiment, at=NOON)


def _portrayed(found: Everything) -> None:
    run = PortraitRun.objects.create(
        at=NOON, finished_at=NOON, half_life_days=30, viewers=1, demand={"piano": [1.0, 1]}
    )
    about = [["topic:piano", 1.0, 2.0]]
    segment = Segment.objects.create(label=1, size=1, about=about, centre={"topic:piano": 1.0}, run=run)
    Portrait.objects.create(
        viewer=found.viewer,
        run=run,
        segment=segment,
        interests=[["topic:piano", 1.0]],
        active_hours=[0.0] * 12 + [1.0] + [0.0] * 11,
        next_topics=[["piano", 1.0]],
        next_items=[[found.video.pk, 1.0]],
        next_hours=[[12, 1.0]],
        vector=np.array([1, 0], np.float32).tobytes(),
        events=2,
        first_seen_at=NOON,
        last_seen_at=NOON,
        updated_at=NOON,
    )
    said = {"message": "Come back!", "held_out": 0.2, "days": 14, "begun_at": NOON}
    campaign = Campaign.objects.create(name="back", segment=segment, reached=1, **said)
    Addressee.objects.create(campaign=campaign, viewer=found.viewer, is_held_out=False)
    noticed(campaign, found.viewer, found.staff, by=found.staff)
    PortraitRefusal.objects.create(viewer=found.staff, refused_at=NOON)
    measured = {"support": 0.5, "confidence": 0.5, "lift": 1.0}
    Rule.objects.create(
        run=run, given=found.video, given_verb="liked", then=found.course, then_verb="bought", viewers=20, **measured
    )
    first, second = sorted([found.video, found.course], key=lambda item: item.pk)
    AlikePair.objects.create(item=first, other=second, cosine=0.95, found_at=NOON)
    PropensityReport.objects.create(run=run, outcome="churn", days=14, reason="too_few_viewers")
    counts = {"topics": {"piano": 1}, "hours": {"12": 1}, "segments": {"1": 1}, "visits": {"new": 1, "returning": 0}}
    Audience.objects.create(run=run, creator=found.creator, days=28, viewers=1, counts=counts)
    NoisyAnswer.objects.create(
        creator=found.creator, period=NOON.date(), days=28, epsilon=1.0, counts=counts, answered_at=NOON
    )


def _decided(found: Everything) -> None:
    name = f"topic:{found.topic.slug}"
    operations.choose_interest(viewer=found.staff, name=name, is_wanted=True, at=NOON)
    other = make.member()
    operations.close_personalisation(viewer=other, at=NOON)
    operations.reset_taste(viewer=other, at=NOON)


def _read(found: Everything) -> None:
    said = Comment.objects.get(viewer=found.viewer)
    TextRun.objects.create(kind=TextRun.Kind.TOPICS, outcome="too_few_items", began_at=NOON, ended_at=NOON)
    TopicSuggestion.objects.create(item=found.course, topic=found.topic, confidence=0.75, suggested_at=NOON)
    marked = {"comment": said, "spans": [[0, 6, "Positive", 0.9]]}
    CommentSignal.objects.create(item=found.video, praise=0.9, blame=0, tagger="0" * 16, tagged_at=NOON, **marked)
    SpanLabel.objects.create(comment=said, by=found.staff, spans=[[0, 6, "Positive"]], labelled_at=NOON)
