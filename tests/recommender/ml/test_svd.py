import numpy as np
import pytest
from scipy.sparse import csr_array

from recommender.ml import svd
from recommender.ml.arrays import Matrix
from recommender.ml.svd import Config, truncated
from tests.recommender.ml import make


def of_rank(rank: int, *, viewers: int = 60, items: int = 40) -> Matrix:
    rng = np.random.default_rng(0)
    matrix: Matrix = csr_array((rng.normal(size=(viewers, rank)) @ rng.normal(size=(rank, items))).astype(np.float32))
    return matrix


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_a_matrix_of_that_rank_is_rebuilt(rank: int) -> None:
    R = of_rank(rank)

    U, values, V = truncated(R, config=Config(factors=rank), seed=0)

    assert (U * values) @ V.T == pytest.approx(R.toarray(), abs=1e-3)


def test_it_equals_the_dense_decomposition() -> None:
    R = of_rank(30)

    U, values, V = truncated(R, config=Config(factors=5), seed=0)

    left, exact, right = np.linalg.svd(R.toarray(), full_matrices=False)
    assert values == pytest.approx(exact[:5], rel=1e-4)
    assert (U * values) @ V.T == pytest.approx((left[:, :5] * exact[:5]) @ right[:5], abs=1e-2)


def test_more_directions_than_the_rank_are_not_invented() -> None:
    _, values, V = truncated(of_rank(2), config=Config(factors=8), seed=0)

    assert len(values) == V.shape[1] == 2


def test_the_error_on_what_was_left_out_falls_below_that_of_the_mean() -> None:
    """A tenth of the cells of a matrix of rank 2 is left out (as zeros) and told by the others."""
    R = of_rank(2, viewers=200, items=100).toarray()
    hidden = np.random.default_rng(1).random(R.shape) < 0.1

    U, values, V = truncated(csr_array(np.where(hidden, 0, R)), config=Config(factors=2), seed=0)

    error = np.sqrt(np.square(((U * values) @ V.T - R)[hidden]).mean())
    assert error < 0.5 * np.sqrt(np.square(R[hidden] - R[~hidden].mean()).mean())


def test_a_history_folded_in_gives_the_vector_that_training_gave() -> None:
    train, _ = make.two_tastes()
    model = svd.fit(train, config=Config(factors=2))
    history = train.where(train.viewer == 3)

    assert model.fold_in(history.item, history.weight) == pytest.approx(model.viewer_vectors[3], abs=1e-5)
