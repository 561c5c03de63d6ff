"""Staff and creators read of rulings, appeals, weekly reports and notices in Chinese, and what each column means."""

import re

import pytest
from django.db.models import Model
from django.utils.translation import gettext, override

from catalog.models import Appeal, Item, Report, Ruling
from kpplatform.metrics.models import WeeklyReport
from recommender.models import Notice, NoticeRefusal

HAN, ACRONYM = re.compile("[一-鿿]"), re.compile("[A-Z]+")
READ = (Appeal, Item, Notice, NoticeRefusal, Report, Ruling, WeeklyReport)


@pytest.mark.parametrize("model", READ, ids=lambda model: model.__name__)
def test_what_is_shown_of_it_has_chinese_words(model: type[Model]) -> None:
    fields = [field for field in model._meta.get_fields() if not field.auto_created and field.concrete]
    names = [str(model._meta.verbose_name), *(str(field.verbose_name) for field in fields)]
    labels = [str(label) for field in fields for _, label in getattr(field, "choices", None) or []]
    explained = [str(field.help_text) for field in fields if field.help_text]

    with override("zh-hans"):
        read = {words: gettext(words) for words in names + labels + explained}

    assert [words for words, shown in read.items() if not HAN.search(shown) and not ACRONYM.fullmatch(shown)] == []
