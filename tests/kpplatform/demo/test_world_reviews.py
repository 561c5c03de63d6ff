"""The reviews that ship with the recommender are those of the generated world."""

from kpplatform.demo.world.reviews import SIZES, reviews
from recommender.ml.tagger.sentences import SHIPPED, Sentence, Span, read


def test_the_shipped_reviews_are_the_worlds() -> None:
    made = [Sentence(of.text, tuple(Span(*span) for span in of.spans), of.split) for of in reviews(seed=0)]

    assert read(SHIPPED) == made
    assert len({of.text for of in made}) == len(made) == sum(SIZES.values())


def test_another_seed_says_something_else() -> None:
    assert reviews(seed=1) != reviews(seed=0)
