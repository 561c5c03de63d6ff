"""A policy's value told from another's log, against worlds whose truth is known."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.sparse import csr_array

from kpplatform.demo.world.arrays import DAY
from kpplatform.demo.world.behaviour import affinity, respond
from kpplatform.demo.world.catalogue import draw_catalogue
from kpplatform.demo.world.viewers import draw_viewers
from recommender.ml.arrays import Matrix
from recommender.ml.interactions import BrokenData
from recommender.ml.off_policy import Log, Value, as_logged, effective, interval, value

EVERY = ("ips", "snips", "dr")
WORTH = np.array([[0.05, 0.3, 0.1, 0.2], [0.4, 0.1, 0.05, 0.1], [0.2, 0.2, 0.6, 0.02]])  # (contexts, actions)
LOGGED = np.array([[0.4, 0.2, 0.2, 0.2], [0.1, 0.4, 0.3, 0.2], [0.3, 0.3, 0.1, 0.3]])
OTHER = np.array([[0.1, 0.6, 0.1, 0.2], [0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.7, 0.1]])
TRUTH = float((OTHER * WORTH).sum(1).mean())  # contexts are equally frequent
ALIKE = np.tile([0.1, 0.3, 0.5, 0.2], (3, 1))  # what an action earns wherever it is shown


def sparse(table: np.ndarray) -> Matrix:
    return csr_array(table.astype(np.float32))


def four() -> Log:
    """Return two showings of each of two actions, logged with 1/2 and 1/4 …"""
    return Log(
        action=np.array([0, 0, 1, 1], np.int32),
        reward=np.array([1.0, 0.0, 1.0, 1.0]),
        propensity=np.array([0.5, 0.5, 0.25, 0.25]),
        context=sparse(np.zeros((4, 0))),
        unit=np.arange(4, dtype=np.int32),
    )


def simulated(seed: int, *, showings: int = 1_500, worth: np.ndarray = WORTH) -> tuple[Log, Matrix]:
    """Return what LOGGED showed in a world, and the chances of OTHER in the same contexts."""
    rng = np.random.default_rng(seed)
    context = rng.integers(0, 3, showings)
    action = (rng.random(showings)[:, None] > LOGGED[context].cumsum(1)).sum(1).astype(np.int32)
    log = Log(
        action=action,
        reward=(rng.random(showings) < worth[context, action]).astype(float),
        propensity=LOGGED[context, action],
        context=sparse(np.eye(3)[context]),
        unit=np.arange(showings, dtype=np.int32),
    )
    return log, sparse(OTHER[context])


def test_inverse_propensity_by_hand() -> None:
    """The other policy shows action 1 three times in four: weights 1/2, 1/2, 3, 3."""
    told = value(four(), sparse(np.tile([0.25, 0.75], (4, 1))))

    assert told.estimates["ips"].mean == pytest.approx((0.5 + 0 + 3 + 3) / 4)
    assert told.estimates["snips"].mean == pytest.approx((0.5 + 0 + 3 + 3) / 7)
    assert told.effective == pytest.approx(7**2 / (0.25 + 0.25 + 9 + 9))
    assert (told.mean_weight, told.clipped, told.showings) == (7 / 4, 0, 4)


def test_clipped_weights_are_cut_and_counted() -> None:
    told = value(four(), sparse(np.tile([0.25, 0.75], (4, 1))), most=1)

    assert told.estimates["ips"].mean == pytest.approx((0.5 + 0 + 1 + 1) / 4)
    assert told.clipped == 2


def test_doubly_robust_by_hand() -> None:
    """With all rewards alike the regression knows them: nothing is left of a reward, whatever its weight."""
    log = replace(four(), reward=np.full(4, 0.7))

    told = value(log, sparse(np.tile([0.25, 0.75], (4, 1))))

    assert told.estimates["dr"].mean == pytest.approx(0.7)
    assert told.estimates["ips"].mean == pytest.approx(0.7 * 7 / 4)


def test_the_logged_policy_itself_is_worth_what_it_earned() -> None:
    log, _ = simulated(1)

    told = value(log, sparse(LOGGED[log.context.indices]))

    assert told.effective == pytest.approx(len(log))
    assert told.estimates["ips"].mean == pytest.approx(as_logged(log).mean)
    assert told.estimates["snips"].mean == pytest.approx(as_logged(log).mean)
    assert told.estimates["dr"].mean == pytest.approx(as_logged(log).mean, abs=0.005)


def test_the_interval_covers_the_truth_in_at_least_ninety_of_a_hundred_worlds() -> None:
    worlds = [value(*simulated(number)) for number in range(100)]

    for name in EVERY:
        held = sum(told.estimates[name].low <= TRUTH <= told.estimates[name].high for told in worlds)
        assert held >= 90, name


def test_redrawn_viewers_agree_with_the_normal_bounds() -> None:
    normal, redrawn = (value(*simulated(1), seed=seed) for seed in (None, 5))

    for name in EVERY:
        one, other = normal.estimates[name], redrawn.estimates[name]
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.1 * (one.high - one.low))


def test_the_interval_covers_the_truth_in_the_generated_world() -> None:
    """Two hundred viewers are shown twenty videos; the other policy gives each what is near to their taste."""
    catalogue = draw_catalogue(videos=20, courses=2, days=1, starts_at=datetime(2026, 5, 1, tzinfo=UTC), seed=1)
    viewers = draw_viewers(count=200, videos=20, seed=1)
    everyone, at_ms = np.arange(200, dtype=np.int32), np.full(200, catalogue.start_ms + DAY)

    def watched(what: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        asked = {"who": everyone, "what": what.astype(np.int32), "at_ms": at_ms}
        outcome = respond(catalogue, viewers, **asked, rng=rng)
        return np.asarray(outcome.watch_ms * 2 > catalogue.videos.duration_ms[what])

    rng = np.random.default_rng(0)
    worth = np.array([np.mean([watched(np.full(200, of), rng) for _ in range(40)], axis=0) for of in range(20)]).T
    near = np.array([affinity(viewers, everyone, np.full(200, topic)) for topic in catalogue.videos.topic]).T
    other, logged = (np.exp(of) / np.exp(of).sum(1, keepdims=True) for of in (4 * near, rng.random((200, 20))))
    truth = float((other * worth).sum(1).mean())

    def told(seed: int) -> Value:
        rng = np.random.default_rng(seed)
        shown = [(rng.random((200, 1)) > logged.cumsum(1)).sum(1) for _ in range(8)]
        log = Log(
            action=np.concatenate(shown).astype(np.int32),
            reward=np.concatenate([watched(what, rng) for what in shown]).astype(float),
            propensity=logged[np.tile(everyone, 8), np.concatenate(shown)],
            context=sparse(np.zeros((1_600, 0))),
            unit=np.tile(everyone, 8),
        )
        return value(log, sparse(np.tile(other, (8, 1))))

    # The viewers are given and the truth is theirs, so that taking a viewer's showings as one is on the safe side.
    worlds = [told(seed) for seed in range(100)]
    for name in EVERY:
        assert sum(of.estimates[name].low <= truth <= of.estimates[name].high for of in worlds) >= 90, name


def test_doubly_robust_is_surer_than_inverse_propensity() -> None:
    worlds = [value(*simulated(number)) for number in range(30)]

    def widths(name: str) -> float:
        return float(np.mean([told.estimates[name].high - told.estimates[name].low for told in worlds]))

    assert widths("dr") < widths("ips")


def test_doubly_robust_mends_chances_that_were_written_down_wrong() -> None:
    """The log claims half of each true chance: IPS is off by two. The regression is right, and so is DR."""
    log, policy = simulated(3, showings=6_000, worth=ALIKE)
    wrong = replace(log, propensity=log.propensity / 2)
    truth = float((OTHER * ALIKE).sum(1).mean())

    told = value(wrong, policy).estimates

    assert told["ips"].low > 1.5 * truth
    assert told["dr"].mean == pytest.approx(truth, abs=0.03)


def test_showings_to_one_viewer_count_as_one_witness() -> None:
    """The same showing ten times over tells nothing new: the interval stays as wide as of one each."""
    terms = np.random.default_rng(0).random(50)
    viewers = np.arange(50, dtype=np.int32)

    once = interval(terms, viewers)
    again = interval(np.repeat(terms, 10), np.repeat(viewers, 10))
    as_if_new = interval(np.repeat(terms, 10), np.arange(500, dtype=np.int32))

    assert again.high - again.low == pytest.approx(once.high - once.low)
    assert as_if_new.high - as_if_new.low < 0.4 * (once.high - once.low)


def test_one_heavy_weight_leaves_one_effective_showing() -> None:
    assert effective(np.array([1.0, 1, 1, 1])) == 4
    assert effective(np.array([1e9, 1, 1, 1])) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"propensity": np.array([0.5, 0.0, 0.25, 0.25])}, "propensity_missing"),
        ({"propensity": np.array([0.5, np.nan, 0.25, 0.25])}, "propensity_missing"),
        ({"propensity": np.array([0.5, 1.5, 0.25, 0.25])}, "propensity_no_chance"),
        ({"reward": np.array([0.5, np.nan, 0, 1])}, "reward_missing"),
        ({"action": np.zeros(0, np.int32)}, "log_empty"),
    ],
)
def test_a_log_that_tells_nothing_is_refused(changed: dict[str, np.ndarray], code: str) -> None:
    with pytest.raises(BrokenData) as refused:
        replace(four(), **changed)  # type: ignore[arg-type]

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ([0.8, 0.8], "policy_no_chances"),
        ([-0.1, 0.5], "policy_no_chances"),
        ([np.nan, 0.5], "policy_no_chances"),
        ([0.0, 0.0], "no_overlap"),
    ],
)
def test_a_policy_of_which_the_log_says_nothing_is_refused(row: list[float], code: str) -> None:
    with pytest.raises(BrokenData) as refused:
        value(four(), sparse(np.tile(row, (4, 1))))

    assert refused.value.code == code


def test_an_action_beyond_the_regression_moves_nothing_it_should_not() -> None:
    """An action that nobody was shown has the usual reward by the regression, and no weight."""
    log, policy = simulated(2)
    wider: Matrix = csr_array(np.hstack([policy.toarray(), np.zeros((len(log), 1), np.float32)]))

    one, two = (value(log, of) for of in (policy, wider))

    assert isinstance(one, Value)
    assert one.estimates["dr"].mean == pytest.approx(two.estimates["dr"].mean)
