"""Cohen's kappa, by hand."""

import pytest

from recommender.ml.agreement import cohen_kappa


def test_kappa_of_fifty_proposals_read_by_two() -> None:
    """Both yes 20, both no 15, only one yes 5, only the other 10: p_o = .7, p_e = .5·.6 + .5·.4 = .5, κ = .4."""
    one = ["yes"] * 20 + ["no"] * 15 + ["yes"] * 5 + ["no"] * 10
    other = ["yes"] * 20 + ["no"] * 15 + ["no"] * 5 + ["yes"] * 10

    assert cohen_kappa(one, other) == pytest.approx(0.4)


def test_who_always_agrees_has_one_and_who_never_does_less_than_nothing() -> None:
    assert cohen_kappa("abab", "abab") == 1
    assert cohen_kappa("abab", "baba") == pytest.approx(-1)
    assert cohen_kappa("aabb", "abab") == 0


def test_without_anything_to_tell_apart_it_has_no_value() -> None:
    assert cohen_kappa([], []) is None
    assert cohen_kappa("aaa", "aaa") is None
    with pytest.raises(ValueError, match="2 labels beside 1"):
        cohen_kappa("ab", "a")
