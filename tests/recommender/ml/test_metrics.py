import ir_measures
import numpy as np
import pytest

from recommender.ml import metrics
from tests.recommender.ml import make

PAGE = np.array([[3, 1, 4, 0, 5], [2, 0, 1, 4, 3], [5, 4, 3, 2, 1]], np.int32)  # three viewers, five places
WANTED = {0: [1, 5], 1: [5], 2: [5, 0, 4, 2]}


def judged(k: int) -> dict[str, list[float]]:
    test = make.interactions(
        *[(viewer, item, 1) for viewer, items in WANTED.items() for item in items], known_items=list(range(6))
    )
    hit = metrics.hits(PAGE, viewers=np.arange(3, dtype=np.int32), wanted=np.unique(test.cells()), items=6)[:, :k]
    wanted = np.array([len(items) for items in WANTED.values()])
    return {name: metric(hit, wanted).tolist() for name, metric in metrics.METRICS.items()}


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_metrics_agree_with_ir_measures(k: int) -> None:
    names = {"ndcg": f"nDCG@{k}", "recall": f"R@{k}", "precision": f"P@{k}", "map": f"AP@{k}", "hr": f"Success@{k}"}
    qrels = [ir_measures.Qrel(str(v), str(i), 1) for v, items in WANTED.items() for i in items]
    run = [ir_measures.ScoredDoc(str(v), str(i), -place) for v, page in enumerate(PAGE) for place, i in enumerate(page)]

    ours = judged(k)

    for name, theirs in names.items():
        measure = ir_measures.parse_measure(theirs)
        expected = {m.query_id: m.value for m in ir_measures.iter_calc([measure], qrels, run)}
        assert ours[name] == pytest.approx([expected[str(viewer)] for viewer in WANTED]), name


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    ours = judged(5)

    assert ours["precision"][0] == pytest.approx(2 / 5)
    assert ours["recall"][0] == pytest.approx(1)
    assert ours["f1"][0] == pytest.approx(2 * (2 / 5) / (2 / 5 + 1))


def test_an_empty_place_is_no_hit() -> None:
    hit = metrics.hits(
        np.array([[-1, 0], [-1, -1]], np.int32),
        viewers=np.array([0, 1], np.int32),
        wanted=np.array([0 * 2 + 0, 1 * 2 + 1]),
        items=2,
    )

    assert hit.tolist() == [[False, True], [False, False]]


def test_coverage_counts_items_on_any_page() -> None:
    assert metrics.coverage(np.array([[0, 1], [1, -1]], np.int32), items=8) == 0.25


def test_the_interval_holds_the_mean_and_narrows_with_more_viewers() -> None:
    few, many = (np.tile([0.0, 1.0], n) for n in (10, 1_000))

    wide, narrow = (metrics.bootstrap(scores, seed=1) for scores in (few, many))

    assert wide.low < narrow.low < 0.5 < narrow.high < wide.high
    assert wide.mean == narrow.mean == 0.5


def test_a_small_but_steady_lead_is_sure_and_an_equal_rival_is_not_beaten() -> None:
    noise = np.random.default_rng(0).random(500)

    ahead = metrics.paired_difference(noise + 0.01, noise, seed=1)
    level = metrics.paired_difference(noise, noise, seed=1)

    assert ahead.low > 0
    assert level == metrics.Interval(0, 0, 0)
