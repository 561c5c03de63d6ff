"""The whole API as it describes itself, and whom to ask about what."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from billing import operations
from billing.ads.models import Advertiser, Anomaly, Creative, Flight, LoadTrial, MakeGood, Offer, UseStatement
from billing.ads.models import Campaign as AdCampaign
from billing.models import (
    Channel,
    Collaboration,
    Consultation,
    Coupon,
    Dispute,
    DisputeEvidence,
    EbookCopy,
    EbookFile,
    Giving,
    InstalmentOffer,
    InstalmentPlan,
    Invoice,
    InvoiceRequest,
    OfferChange,
    Order,
    OrderLine,
    OutsideStatement,
    PaymentMethod,
    PaymentProof,
    Payout,
    PayoutHold,
    Plan,
    PriceExperiment,
    ReconciliationException,
    Refund,
    Remittance,
    Settlement,
    Split,
    Subscription,
    Tier,
    VirtualGift,
)
from catalog.models import Comment, Lesson, MutedWord, Ruling, Section
from kpplatform.metrics.models import WeeklyReport
from kpplatform.tenancy.models import ApiToken
from recommender.models import (
    Addressee,
    Exposure,
    ModelVersion,
    Notice,
    Portrait,
    TopicSuggestion,
    TrainingRun,
    ViewerGroup,
)
from tests.everything import Everything

SCHEMA: dict[str, Any] = SchemaGenerator().get_schema(public=True)
PREFIX = "/api/v1/"

# What a path names, found from a tenant with one of everything. A new path needs its line here.
NAMED: dict[str, Callable[[Everything], Any]] = {
    "ad-anomalies/{id}": lambda _: Anomaly.objects.get().pk,
    "ad-campaigns/{id}": lambda _: AdCampaign.objects.get().pk,
    "ad-creatives/{id}": lambda _: Creative.objects.get().pk,
    "ad-holds/{id}": lambda _: Offer.objects.exclude(odd="").get().pk,
    "ad-load-trials/{id}": lambda _: LoadTrial.objects.get().pk,
    "ad-make-goods/{id}": lambda _: MakeGood.objects.get().pk,
    "ad-statements/{id}": lambda _: UseStatement.objects.get().pk,
    "advertisers/{id}": lambda _: Advertiser.objects.get().pk,
    "campaigns/{id}": lambda found: Addressee.objects.get(viewer=found.viewer).campaign_id,
    "collaborations/{id}": lambda found: Collaboration.objects.get(owner=found.creator).pk,
    "comments/{id}": lambda found: Comment.objects.get(viewer=found.viewer).pk,
    "coupons/{id}": lambda found: Coupon.objects.get(made_by=found.publisher).pk,
    "consultations/{id}": lambda _: Consultation.objects.get().pk,
    "courses/{id}": lambda found: found.course.pk,
    "creators/{handle}": lambda found: found.creator.handle,
    "dispute-files/{id}": lambda found: DisputeEvidence.objects.get(kind="file", by=found.staff).pk,
    "disputes/{id}": lambda found: Dispute.objects.get(evidence__by=found.staff).pk,
    "downloads/{token}": lambda found: operations.link_to(
        copy=EbookCopy.objects.get(viewer=found.staff), by=found.staff, at=datetime.now(UTC)
    ),
    "ebook-files/{id}": lambda found: EbookFile.objects.get(uploaded_by=found.publisher).product_id,
    "ebooks/{id}": lambda found: EbookCopy.objects.get(viewer=found.staff).pk,
    "experiments/{id}": lambda found: Exposure.objects.get(viewer=found.viewer).experiment_id,
    "gifts/{id}": lambda _: VirtualGift.objects.get().pk,
    "givings/{id}": lambda found: Giving.objects.get(viewer=found.staff).pk,
    "holds/{id}": lambda found: PayoutHold.objects.get(creator=found.creator).pk,
    "instalment-offers/{id}": lambda _: InstalmentOffer.objects.get().pk,
    "instalment-plans/{id}": lambda _: InstalmentPlan.objects.get().pk,
    "invoice-requests/{id}": lambda _: InvoiceRequest.objects.get().pk,
    "invoices/{id}": lambda found: Invoice.objects.get(order__viewer=found.viewer).pk,
    "interests/{name}": lambda found: f"topic:{found.topic.slug}",
    "items/{id}": lambda found: found.video.pk,
    "lessons/{id}": lambda found: Lesson.objects.filter(section__course=found.course)[0].pk,
    "models/{id}": lambda found: ModelVersion.objects.get(events=found.events).pk,
    "muted-words/{id}": lambda found: MutedWord.objects.get(viewer=found.staff).pk,
    "orders/{id}": lambda found: Order.objects.get(viewer=found.viewer).pk,
    "outside-statements/{id}": lambda found: OutsideStatement.objects.get(by=found.publisher).pk,
    "payment-methods/{id}": lambda found: PaymentMethod.objects.get(member=found.staff).pk,
    "payout-batches/{id}": lambda found: Payout.objects.get(creator=found.creator).batch_id,
    "payouts/{id}": lambda found: Payout.objects.get(creator=found.creator).pk,
    "portraits/{id}": lambda found: Portrait.objects.get(viewer=found.viewer).pk,
    "price-experiments/{id}": lambda found: PriceExperiment.objects.get(creator=found.creator).pk,
    "products/{id}": lambda _: OfferChange.objects.get(product__kind="bundle").product_id,
    "notices/{id}": lambda found: Notice.objects.get(viewer=found.staff).pk,
    "viewer-groups/{id}": lambda _: ViewerGroup.objects.get().pk,
    "offline-refunds/{id}": lambda found: Refund.objects.filter(line__order__viewer=found.viewer)[0].pk,
    "payment-proofs/{id}": lambda found: PaymentProof.objects.get(decisions__by=found.staff).pk,
    "reconciliation-exceptions/{id}": lambda found: ReconciliationException.objects.get(run__by=found.staff).pk,
    "remittances/{id}": lambda found: Remittance.objects.get(drafted_by=found.staff).pk,
    "rulings/{id}": lambda found: Ruling.objects.get(item=found.video).pk,
    "sections/{id}": lambda found: Section.objects.get(course=found.course).pk,
    "subscriptions/{id}": lambda found: Subscription.objects.get(viewer=found.staff).pk,
    "tiers/{id}": lambda _: Tier.objects.get().pk,
    "splits/{id}": lambda found: Split.objects.get(creator=found.creator).pk,
    "settlements/{id}": lambda found: Settlement.objects.get(creator=found.creator).pk,
    "tokens/{id}": lambda found: ApiToken.objects.get(member=found.staff).pk,
    "topic-suggestions/{id}": lambda found: TopicSuggestion.objects.get(item=found.course).pk,
    "topics/{slug}": lambda found: found.topic.slug,
    "training-runs/{id}": lambda found: TrainingRun.objects.get(version__events=found.events).pk,
    "videos/{id}": lambda found: found.video.pk,
    "weekly-reports/{id}": lambda found: WeeklyReport.objects.get(creator=found.creator).pk,
}
# What a body names, by the name of its field and the field's type.
NAMED_INSIDE: dict[tuple[str, str], Callable[[Everything], Any]] = {
    ("channel", "integer"): lambda found: Channel.objects.get(creator=found.creator).pk,
    ("advertiser", "integer"): lambda _: Advertiser.objects.get().pk,
    ("comment", "integer"): lambda found: Comment.objects.get(viewer=found.viewer).pk,
    ("creator", "string"): lambda found: found.creator.handle,
    ("flight", "integer"): lambda _: Flight.objects.get().pk,
    ("gift", "integer"): lambda _: VirtualGift.objects.get().pk,
    ("item", "integer"): lambda found: found.course.pk,
    ("line", "integer"): lambda found: OrderLine.objects.get(order__viewer=found.viewer).pk,
    ("method", "integer"): lambda found: PaymentMethod.objects.get(member=found.staff).pk,
    ("order", "integer"): lambda found: Order.objects.get(viewer=found.viewer).pk,
    ("parent", "integer"): lambda found: Comment.objects.get(viewer=found.viewer).pk,
    ("parent", "string"): lambda found: found.topic.slug,
    ("plan", "integer"): lambda _: Plan.objects.get().pk,
    ("to", "integer"): lambda found: found.viewer.pk,
    ("topic", "string"): lambda found: found.topic.slug,
    ("video", "integer"): lambda found: found.video.pk,
}
# What is not somebody's: the same for every tenant, as a word of a path or as the last part of one.
PLAIN = {"kind": "like", "name": "plays"}
EVERYBODYS = {"metrics/{name}"}
WORDS = {"date-time": "2126-05-01T12:00:00Z", "uuid": "11111111-1111-4111-8111-111111111111", "uri": "https://x.org/"}


@dataclass(frozen=True)
class Asked:
    """One operation of the API."""

    method: str
    path: str
    described: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names(self) -> str | None:
        """Return the part of the path that names a row, such as items/{id}."""
        collection, _, rest = self.path.removeprefix(PREFIX).partition("/")
        row = f"{collection}/{rest.split('/')[0]}"
        return row if "/{" in row and row not in EVERYBODYS else None

    def parameters(self, found: Everything) -> dict[str, Any]:
        """Return the path's parameters for the rows of this tenant."""
        if self.names is None:
            return PLAIN
        name = self.names.split("{")[1].rstrip("}")
        return {**PLAIN, name: NAMED[self.names](found)}

    @property
    def schema(self) -> dict[str, Any]:
        """Return what is said of its body; nothing when it has none."""
        content = self.described.get("requestBody", {}).get("content", {})
        schema: dict[str, Any] = content.get("application/json", {}).get("schema", {})
        return schema

    def names_inside(self) -> list[tuple[str, str]]:
        """Return the fields of its body that name rows."""
        fields = resolved(self.schema).get("properties", {})
        return [(name, about["type"]) for name, about in fields.items() if (name, about.get("type")) in NAMED_INSIDE]

    def of(self, client: APIClient, found: Everything, **inside: Any) -> Any:
        """Ask it about the rows of this tenant, with a body that is well formed."""
        path = self.path.format(**self.parameters(found))
        if not self.schema:
            return client.generic(self.method, path)
        body = sample(self.schema)
        return client.generic(
            self.method, path, orjson.dumps(body | inside if inside else body).decode(), "application/json"
        )


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference to what is described elsewhere."""
    _, _, name = schema.get("$ref", "").rpartition("/")
    found: dict[str, Any] = SCHEMA["components"]["schemas"][name] if name else schema
    return found


def everything_asked() -> Iterator[Asked]:
    """Yield every operation of the API."""
    for path, methods in SCHEMA["paths"].items():
        for method, described in methods.items():
            yield Asked(method.upper(), path, described)


def sample(schema: dict[str, Any]) -> Any:
    """Return a value that the schema allows: what it requires, as little as it requires."""
    if "$ref" in schema:
        return sample(resolved(schema))
    if "allOf" in schema or "oneOf" in schema:
        return sample((schema.get("allOf") or schema["oneOf"])[0])
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: sample(schema["properties"][name]) for name in schema.get("required", [])}
    if kind == "array":
        return [sample(schema["items"])] * schema.get("minItems", 1)
    plain = {"integer": schema.get("minimum", 1), "number": schema.get("minimum", 1), "boolean": True}
    return plain.get(str(kind), WORDS.get(schema.get("format", ""), "word"))
