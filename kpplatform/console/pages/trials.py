"""Which models serve, and what is tried on viewers: for the tenant's staff."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import PriceExperiment
from billing.money import Money
from billing.queries import price_results
from billing.queries.price_results import ArmResult
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Chart, Line, Look, Shown, Table
from recommender.models import Experiment, ModelVersion
from recommender.queries import canary_version, published_version, running_experiments, versions

MOST_VERSIONS, MOST_ROWS, MOST_PRICES = 20, 8, 5
SAY_MOST = "ndcg"
POPULARITY = "popularity"
ADMIN = "admin:{}_changelist"


def shown(look: Look) -> Shown:
    newest = list(versions()[:MOST_VERSIONS])
    running = running_experiments()
    tried = PriceExperiment.objects.filter(state=PriceExperiment.State.RUNNING).order_by("-pk")
    return Shown(
        cards=_cards(look, running, tried.count()),
        parts=[
            _quality(newest),
            _effects(running),
            _versions(newest),
            _experiments(running),
            _prices(list(tried[:MOST_PRICES])),
        ],
    )


def _cards(look: Look, running: tuple[Experiment, ...], prices: int) -> list[Card]:
    served, canary = published_version(), canary_version()
    page = reverse(ADMIN.format("recommender_modelversion"))
    trained = (look.at - served.trained_at).days if served else 0
    return [
        Card(_("Model served"), served.kind if served else _("none"), href=page),
        Card(_("Days since it was trained"), words.count(trained) if served else "–", href=page),
        Card(
            _("Canary"), f"{canary.kind} {canary.canary_share or 0:.0%}" if canary else _("none"), href=page,
        ),
        Card(_("Experiments running"), words.count(len(running)), href=reverse(ADMIN.format("recommender_experiment"))),
        Card(_("Prices tried"), words.count(prices), href=reverse(ADMIN.format("billing_priceexperiment"))),
    ]  # fmt: skip


def _measured(version: ModelVersion, model: str) -> float | None:
    """Return the figure that says most of a model of the training: NDCG on a later slice of time."""
    figures = version.measured().get(model, {})
    return next((value for name, value in sorted(figures.items()) if name.startswith(SAY_MOST)), None)


def _quality(newest: list[ModelVersion]) -> Chart:
    """Draw each training's best model beside popularity on the same later slice of time, the oldest first."""
    judged = [version for version in reversed(newest) if version.measured()]
    lines = [
        Line(_("the training's model"), [_measured(version, version.kind) for version in judged]),
        Line(_("popularity"), [_measured(version, POPULARITY) for version in judged]),
    ]
    labels = [f"#{version.pk} {_when(version.trained_at)}" for version in judged]
    title = _("Quality (NDCG) of each training beside popularity")
    return Chart(title, labels, lines, kind="bar", when_empty=_("No model has been trained yet."))


def _effects(running: tuple[Experiment, ...]) -> Chart:
    """Draw between which bounds each arm differs from its control in what the experiment is about."""
    bounds: dict[str, list[float]] = {}
    for experiment in running:
        for arm, by in _told(experiment):
            control = experiment.figures["means"][next(iter(experiment.shares))][experiment.metric]
            if by and control:
                bounds[f"{experiment.name}: {arm}"] = [round(100 * by[end] / control, 2) for end in ("low", "high")]
    return Chart(
        _("Between which bounds the running arms differ, in per cent of the control"),
        list(bounds),
        [Line(_("effect"), list(bounds.values()))],
        kind="bar",
        is_across=True,
        suffix="%",
        when_empty=_("No effect is known yet."),
    )


def _told(experiment: Experiment) -> Iterator[tuple[str, dict[str, float] | None]]:
    """Yield each arm but the control with its difference in what the experiment is about; None: too few viewers."""
    for arm, by in experiment.figures.get("differences", {}).items():
        yield arm, by[experiment.metric]


def _versions(newest: list[ModelVersion]) -> Table:
    rows = [
        [
            words.link(_change("recommender_modelversion", version.pk), f"#{version.pk} {version.kind}"),
            _(version.get_state_display()),
            _when(version.trained_at),
            _number(_measured(version, version.kind)),
            _number(_measured(version, POPULARITY)),
            _(version.reason),
        ]
        for version in newest[:MOST_ROWS]
    ]
    headers = [_("version"), _("state"), _("trained"), "NDCG", _("popularity's"), _("why")]
    return Table(_("Versions, the newest first"), headers, rows, _("No model has been trained yet."), is_wide=True)


def _experiments(running: tuple[Experiment, ...]) -> Table:
    """Show the arms with their viewers and effects. The bounds hold however often one looks."""
    rows: list[list[Any]] = []
    for experiment in running:
        name = words.link(_change("recommender_experiment", experiment.pk), experiment.name)
        if not experiment.figures:
            rows.append([name, "–", "–", "–", "–", _("not read yet")])
            continue
        effects = dict(_told(experiment))
        for arm in experiment.shares:  # stored figures do not keep the order: the control comes first
            viewers = experiment.figures["viewers"][arm]
            mean = experiment.figures["means"][arm][experiment.metric]
            told = _effect(effects[arm]) if arm in effects else ("–", _("control"))
            fair = experiment.figures["dealt_fairly"]
            verdict = told[1] if fair else _("the arms were not dealt fairly")
            rows.append([name, arm, words.count(viewers), f"{mean:.4g}", told[0], verdict])
    headers = [_("experiment"), _("arm"), _("viewers"), _("mean"), _("effect and bounds"), _("verdict")]
    return Table(_("Experiments that run"), headers, rows, _("No experiment runs."), is_wide=True)


def _effect(by: dict[str, float] | None) -> tuple[str, str]:
    if by is None:
        return "–", _("too few viewers")
    verdict = _("better") if by["low"] > 0 else _("worse") if by["high"] < 0 else _("no difference seen")
    return f"{by['mean']:+.3g} [{by['low']:+.3g}, {by['high']:+.3g}]", verdict


def _prices(tried: list[PriceExperiment]) -> Table:
    rows = []
    for experiment in tried:
        name = words.link(_change("billing_priceexperiment", experiment.pk), experiment.name)
        rows += [[name, *_arm(of, experiment.currency)] for of in price_results(experiment).arms]
    headers = [_("experiment"), _("price"), _("shown to"), _("bought"), _("each viewer paid"), _("more than the first")]
    return Table(_("Prices that are tried"), headers, rows, _("No price is tried."), is_wide=True)


def _arm(of: ArmResult, currency: str) -> list[str]:
    def money(minor: float) -> str:
        return str(Money(round(minor), currency))

    by = of.difference
    bounds = f"{money(by.mean)} [{money(by.low)}, {money(by.high)}]" if by else "–"
    return [str(of.arm.money), words.count(of.shown), f"{of.bought:.1%}", money(of.revenue.mean), bounds]


def _change(page: str, key: int) -> str:
    return reverse(f"admin:{page}_change", args=[key])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _when(at: Any) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT")
