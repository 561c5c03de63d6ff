"""How creators stand beside each other."""

from datetime import timedelta

import pytest

from catalog import operations as catalog
from catalog.models import Item, Reaction
from creators import operations as creators
from creators.models import Creator
from kpplatform.metrics import queries
from kpplatform.metrics.models import DailyFigure
from kpplatform.metrics.queries import Span
from kpplatform.metrics.queries.branding import WEIGHTS
from tests import make
from tests.catalog import things
from tests.conftest import NOON
from tests.metrics.happened import DAY, counted, watch

pytestmark = pytest.mark.usefixtures("in_school")
MILLION = 1_000_000
NAMES = {"brand", "standing"}


def points(creator: Creator) -> dict[str, int]:
    return queries.by_part("brand", Span(DAY, DAY, creator))


def had(creator: Creator | None) -> dict[str, int]:
    return queries.by_part("standing", Span(DAY, DAY, creator))


@pytest.fixture
def three() -> list[Creator]:
    """Creators with one, two and three viewers of their only video."""
    made = [things.creator() for _ in range(3)]
    for viewers, creator in enumerate(made, 1):
        video = things.video(creator)
        for _ in range(viewers):
            watch(make.member(), video)
    return made


def test_more_reach_is_a_higher_score(three: list[Creator]) -> None:
    counted()

    assert [had(creator)["reach"] for creator in three] == [1 * MILLION, 2 * MILLION, 3 * MILLION]
    assert [points(creator).get("reach", 0) for creator in three] == [0, 125_000, 250_000]
    assert had(None)["reach"] == 2 * MILLION, "The tenant's is the median."


def test_the_parts_add_up_to_the_score(three: list[Creator]) -> None:
    first, _second, third = three
    viewer = make.member()
    creators.follow(viewer=viewer, creator=third, at=NOON)
    catalog.react(viewer=viewer, item=Item.objects.get(creator=third), kind=Reaction.Kind.LIKE, at=NOON)

    counted()

    assert points(third) == {"reach": 250_000, "followers": 200_000, "engagement": 200_000}
    assert queries.totals(["brand"], Span(DAY, DAY, third)) == {"brand": 650_000}
    assert "reach" not in points(first), "Who has least of a part has no points for it."
    assert sum(WEIGHTS.values()) == 100


def test_engagement_is_drawn_towards_what_is_usual(three: list[Creator]) -> None:
    """One like of six plays in all: of three plays and twenty usual ones it is (1 + 20 / 6) / 23."""
    item = Item.objects.get(creator=three[2])
    catalog.react(viewer=make.member(), item=item, kind=Reaction.Kind.LIKE, at=NOON)

    counted()

    assert had(three[2])["engagement"] == round(MILLION * (1 + 20 / 6) / 23)
    assert had(three[0])["engagement"] == round(MILLION * (0 + 20 / 6) / 21)


def test_focus_and_consistency_are_of_what_was_published() -> None:
    steady, wide = things.creator(), things.creator()
    piano, chess = things.topic(), things.topic("chess")
    for week in range(4):
        things.video(steady, topic=piano, published_at=NOON - timedelta(weeks=week))
        things.video(wide, topic=[piano, piano, chess, chess][week], published_at=NOON - timedelta(days=week))

    counted()

    assert (had(steady)["focus"], had(steady)["consistency"]) == (MILLION, MILLION // 2)
    assert had(wide)["focus"] == round(MILLION * 4 / 12), "Two pairs of twelve ordered ones each are alike."
    assert had(wide)["consistency"] == MILLION // 8
    assert points(steady) == {"consistency": 100_000, "focus": 100_000}


def test_last_months_viewers_count_and_older_ones_do_not(three: list[Creator]) -> None:
    video = Item.objects.get(creator=three[0])
    for _ in range(9):
        watch(make.member(), video, at=NOON - timedelta(days=28))
    for _ in range(4):
        watch(make.member(), video, at=NOON - timedelta(days=27))

    counted(-28, -27, 0)

    assert had(three[0])["reach"] == 5 * MILLION


def test_counted_again_it_is_the_same(three: list[Creator]) -> None:
    counted()
    stored = set(DailyFigure.objects.filter(metric__in=NAMES).values_list("metric", "creator", "part", "value"))

    again = {
        (name, *of) for name, of in ((row[0], (row[1], *row[3:])) for row in queries.counted(DAY)) if name in NAMES
    }

    assert stored == again
