"""What a comment speaks of, in Chinese and in English."""

from recommender.ml.keywords import keywords


def test_nouns_and_adjectives_are_keywords_and_small_words_are_not() -> None:
    assert keywords("老师讲得很清楚，但是价格高") == ["老师", "清楚", "价格"]
    assert keywords("The sound is not clear, and the sound is bad") == ["sound", "clear", "bad"]


def test_some_keywords_are_enough_and_an_empty_text_has_none() -> None:
    assert len(keywords(" ".join(f"word{'x' * of}" for of in range(20)))) == 8
    assert keywords("") == keywords("……") == []
