"""Who may compete for a place."""

from billing.ads.market.board import Board

BOARD = Board.of(
    {"topic": [{"piano"}, set(), {"piano", "cooking"}], "segment": [set(), {"new"}, set()]},
    {"topic": [set(), {"cooking"}, set()]},
)


def fitting(**told: set[str]) -> list[int]:
    return [int(place) for place in BOARD.fitting(told).nonzero()[0]]


def test_who_wants_the_topic_or_any_and_the_segment_or_any() -> None:
    assert fitting(topic={"piano"}, segment={"new"}) == [0, 1, 2]
    assert fitting(topic={"cooking"}) == [2]


def test_what_is_not_told_is_not_guessed() -> None:
    assert fitting(topic={"piano"}) == [0, 2]
    assert fitting() == []


def test_one_does_not_stand_beside_what_it_shuns() -> None:
    assert fitting(topic={"cooking"}, segment={"new"}) == [2]
    assert fitting(topic={"cooking", "piano"}, segment={"new"}) == [0, 2]


def test_an_empty_board_fits_nobody() -> None:
    assert Board.of({"topic": []}, {}).fitting({"topic": {"piano"}}).tolist() == []
