"""Which models are tried: all that suit the data, within the time and the memory there are."""

import pytest

from recommender.training.candidates import COSTS, LONG, NETWORKS, Budget, Candidate, Plan, Sizes, planned

ROOMY = Budget(minutes=30, memory_mb=16_000)
SCHOOL = Sizes(viewers=2_000, items=1_500, events=240_000, pairs=60_000_000)
BOROUGH = Sizes(viewers=50_000, items=14_000, events=2_900_000, pairs=600_000_000)
CITY = Sizes(viewers=1_000_000, items=40_000, events=60_000_000, pairs=6_000_000_000)


def names(plan: Plan) -> set[str]:
    return {of.name for of in plan.tried}


def test_a_school_tries_everything() -> None:
    plan = planned(SCHOOL, ROOMY, found={})

    assert names(plan) == {*COSTS, *LONG}
    assert not plan.left_out


def test_every_model_is_tried_or_left_out_with_a_reason() -> None:
    for sizes in (SCHOOL, CITY, Sizes(3, 1, 5, 9)):
        plan = planned(sizes, ROOMY, found={})

        assert names(plan) | set(plan.left_out) == {*COSTS, *LONG}
        assert all(plan.left_out.values())


def test_few_events_do_not_pay_for_the_minutes_of_a_sequence_model() -> None:
    few = SCHOOL._replace(events=5_000)

    assert planned(few, ROOMY, found={}).left_out == dict.fromkeys([*LONG, *NETWORKS], "too_few_events")
    assert planned(SCHOOL, Budget(minutes=1, memory_mb=16_000), found={}).left_out["gru"] == "too_little_time"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ease", "too_many_items"),
        ("user-cosine", "too_slow_to_serve"),
        ("svd", "others_are_better_at_this_size"),
        ("biased-mf", "would_take_too_long"),
    ],
)
def test_a_city_is_not_for_every_model(name: str, reason: str) -> None:
    plan = planned(CITY, ROOMY, found={})

    assert plan.left_out[name] == reason
    assert {"implicit-als", "markov", "transformer"} <= names(plan)


def test_what_is_too_dear_is_made_smaller_before_it_is_left_out() -> None:
    def factors(minutes: float) -> float | None:
        tried = {of.name: of for of in planned(CITY, Budget(minutes, memory_mb=64_000), found={}).tried}
        return tried["implicit-als"].settings["factors"] if "implicit-als" in tried else None

    assert (factors(120), factors(20), factors(0.1)) == (128, 32, None)


def test_memory_bounds_too() -> None:
    plan = planned(SCHOOL._replace(items=14_000), Budget(minutes=30, memory_mb=1_000), found={})

    assert plan.left_out == {"ease": "would_take_too_much_memory"}


def test_what_a_search_has_found_is_used() -> None:
    plan = planned(SCHOOL, ROOMY, found={"item-cosine": {"shrink": 7.0}, "implicit-als": {"alpha": 3.0}})

    settings = {of.name: of.settings for of in plan.tried}
    assert settings["item-cosine"] == {"shrink": 7.0}
    assert settings["implicit-als"] == {"factors": 128, "alpha": 3.0}


def test_a_fit_of_a_sequence_model_has_its_share_of_the_time() -> None:
    for candidate in planned(SCHOOL, ROOMY, found={}).tried:
        if candidate.is_long:
            assert 2 * len(LONG) * candidate.settings["minutes"] < 30


@pytest.mark.parametrize("minutes", [1, 5, 30])
def test_what_is_recent_goes_on_top_of_als_and_is_left_out_with_it(minutes: float) -> None:
    for sizes in (SCHOOL, BOROUGH, CITY):
        tried = {of.name: of for of in planned(sizes, Budget(minutes, memory_mb=64_000), found={}).tried}

        assert ("recent-als" in tried) == ("implicit-als" in tried)
        assert "recent-als" not in tried or tried["recent-als"].settings == tried["implicit-als"].settings


def test_only_the_same_factors_are_not_fitted_twice() -> None:
    als = Candidate("implicit-als", {"factors": 64})

    assert Candidate("recent-als", {"factors": 64, "recency": 0.1}).is_fit_of(als)
    assert not Candidate("recent-als", {"factors": 128}).is_fit_of(als)
    assert not Candidate("ease", {"factors": 64}).is_fit_of(als)
    assert not Candidate("recent-als", {"factors": 64}).is_fit_of(None)


@pytest.mark.parametrize("minutes", [1, 5, 30])
def test_all_fits_together_leave_time_for_fitting_the_chosen_anew(minutes: float) -> None:
    for sizes in (SCHOOL, BOROUGH, CITY):
        plan = planned(sizes, Budget(minutes, memory_mb=64_000), found={})

        assert sum(of.seconds for of in plan.tried if of.name != "recent-als") <= 0.91 * 60 * minutes
        assert sum(of.seconds for of in plan.tried if not of.is_long and of.name != "recent-als") <= 0.56 * 60 * minutes
