import ir_measures
import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import ndcg_score, roc_auc_score

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
    names = {
        "ndcg": f"nDCG@{k}",
        "recall": f"R@{k}",
        "precision": f"P@{k}",
        "map": f"AP@{k}",
        "hr": f"Success@{k}",
        "mrr": f"RR@{k}",
    }
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


def test_the_reciprocal_of_the_first_hit_counts() -> None:
    assert judged(5)["mrr"] == [1 / 2, 0, 1]


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    """Of items 0 to 4 the viewer met 4; 1 and 3 are wanted: 1 beats 0 and 2, 3 beats 0 and ties with 2."""
    scores = np.array([[0.1, 0.9, 0.5, 0.5, -np.inf]], np.float32)

    area = metrics.auc(scores, met=np.array([1]), wanted=np.array([1, 3]), counts=np.array([2]))

    assert area.tolist() == [3.5 / 4]


def test_auc_agrees_with_scikit_learn_also_where_scores_tie() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 6, (20, 30)).astype(np.float32)
    met, wants = rng.random((20, 30)) < 0.2, rng.random((20, 30)) < 0.3
    wants &= ~met
    expected = [roc_auc_score(want[~old], row[~old]) for row, old, want in zip(scores, met, wants, strict=True)]
    scores[met] = -np.inf

    area = metrics.auc(scores, met=met.sum(1), wanted=np.nonzero(wants)[1], counts=wants.sum(1))

    assert area == pytest.approx(expected)


def test_auc_of_what_the_model_cannot_score_is_a_tie_at_the_end() -> None:
    """Item 0 was met; 1 and 2 are unknown to the model, 3 is not wanted and known: 1 loses to 3, ties with 2."""
    scores = np.array([[-np.inf, -np.inf, -np.inf, 1.0]], np.float32)

    area = metrics.auc(scores, met=np.array([1]), wanted=np.array([1]), counts=np.array([1]))

    assert area.tolist() == [0.25]


def test_who_wanted_everything_has_no_pair_to_order() -> None:
    area = metrics.auc(np.ones((1, 2), np.float32), met=np.array([0]), wanted=np.array([0, 1]), counts=np.array([2]))

    assert area.tolist() == [0.5]


def test_debiased_ndcg_counts_rare_finds_more() -> None:
    """Both items are wanted, the rare one weighs 3: found at the second place of two, over both in the best order."""
    hit, page = np.array([[False, True]]), np.array([[0, 2]], np.int32)
    weight = np.array([1.0, 1.0, 3.0])
    ideal = metrics.ideal_gain(np.array([1.0, 3.0]), row=np.array([0, 0]), k=2)

    found = metrics.debiased_ndcg(hit, page, weight=weight, ideal=ideal)

    second = 1 / np.log2(3)
    assert ideal.tolist() == pytest.approx([3 + second])
    assert found.tolist() == pytest.approx([3 * second / (3 + second)])


def test_debiased_ndcg_of_equal_weights_is_ndcg_and_agrees_with_scikit_learn_on_others() -> None:
    rng = np.random.default_rng(0)
    weight, wants = rng.random(12) + 0.5, rng.random(12) < 0.4
    page = rng.permutation(12).astype(np.int32)[None, :5]
    hit = wants[page]
    ideal = metrics.ideal_gain(weight[wants], row=np.zeros(wants.sum(), np.int64), k=5)
    as_score = np.zeros(12)
    as_score[page[0]] = 5 - np.arange(5)

    ours = metrics.debiased_ndcg(hit, page, weight=weight, ideal=ideal)
    level = metrics.debiased_ndcg(
        hit,
        page,
        weight=np.ones(12),
        ideal=metrics.ideal_gain(np.ones(wants.sum()), row=np.zeros(wants.sum(), int), k=5),
    )

    assert ours == pytest.approx(ndcg_score([wants * weight], [as_score], k=5))
    assert level == pytest.approx(metrics.METRICS["ndcg"](hit, np.array([wants.sum()])))


def test_coverage_counts_items_on_any_page_and_gini_how_evenly() -> None:
    pages = np.array([[0, 1], [1, -1]], np.int32)

    shown = metrics.exposure(pages, items=4)

    assert shown.tolist() == [1, 2, 0, 0]
    assert metrics.coverage(shown) == 0.5
    assert metrics.gini(shown) == pytest.approx((1 * 1 + 3 * 2) / (4 * 3))
    assert metrics.gini(np.array([5, 5, 5])) == pytest.approx(0)
    assert metrics.gini(np.array([0, 0, 0, 9])) == pytest.approx(3 / 4)
    assert metrics.gini(np.zeros(3, np.int64)) == 0


def test_gini_is_half_the_mean_difference_over_the_mean() -> None:
    shown = np.random.default_rng(1).integers(0, 9, 50)
    by_pairs = np.abs(shown[:, None] - shown[None, :]).mean() / (2 * shown.mean())

    assert metrics.gini(shown) == pytest.approx(by_pairs)


def test_empty_places_do_not_count_in_the_mean_of_a_page() -> None:
    surprise = np.array([1.0, 3.0, 8.0])

    assert metrics.mean_on_page(np.array([[1, 0], [2, -1], [-1, -1]], np.int32), surprise).tolist() == [2, 8, 0]


def test_diversity_is_the_mean_distance_of_the_pairs_that_are_told_of() -> None:
    """Items 0 and 1 are alike, 2 is at right angles to them, nothing is told of 3."""
    features = csr_array(np.array([[1, 0], [1, 0], [0, 1], [0, 0]], np.float32))
    pages = np.array([[0, 1, 2], [0, 1, 3], [0, 3, -1]], np.int32)

    assert metrics.intra_list_diversity(pages, features) == pytest.approx([2 / 3, 0, 0])


def test_diversity_equals_a_sum_over_all_pairs() -> None:
    rng = np.random.default_rng(5)
    dense = rng.random((20, 6))
    dense /= np.linalg.norm(dense, axis=1)[:, None]
    page = rng.permutation(20)[:8].astype(np.int32)
    pairs = [1 - dense[one] @ dense[two] for one in page for two in page if one < two]

    varied = metrics.intra_list_diversity(page[None], csr_array(dense.astype(np.float32)))

    assert varied == pytest.approx([np.mean(pairs)], rel=1e-5)


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


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    worlds = [np.random.default_rng(seed).random(200) for seed in range(100)]

    held = [metrics.bootstrap(world, seed=1, rounds=200) for world in worlds]

    assert sum(of.low <= 0.5 <= of.high for of in held) >= 90


def test_metrics_share_the_redrawn_viewers() -> None:
    scores = np.random.default_rng(0).random(50)

    both = metrics.intervals({"one": scores, "other": scores}, seed=4)

    alone = metrics.bootstrap(scores, seed=4)
    assert both["one"] == both["other"]
    assert (both["one"].low, both["one"].high) == pytest.approx((alone.low, alone.high))


def test_the_chance_of_a_steady_lead_is_that_of_all_heads() -> None:
    """Ten viewers, each better by one: of the 2¹⁰ ways to set the signs, two are as extreme."""
    ours, theirs = {"ndcg@10": np.ones(10)}, {"ndcg@10": np.zeros(10)}

    test = metrics.paired_tests(ours, theirs, seed=0, rounds=20_000)["ndcg@10"]

    assert (test.mean, test.low, test.high) == (1, 1, 1)
    assert test.p == pytest.approx(2 / 1024, abs=0.001)


def test_models_that_are_alike_are_told_apart_no_more_often_than_said() -> None:
    rng = np.random.default_rng(8)
    alike = [({"m": rng.random(60)}, {"m": rng.random(60)}) for _ in range(200)]

    chances = [metrics.paired_tests(ours, theirs, seed=1, rounds=200)["m"].p for ours, theirs in alike]

    assert np.mean(np.array(chances) <= 0.05) <= 0.09
