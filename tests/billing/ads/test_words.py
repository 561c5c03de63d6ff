"""Staff and creators read of ads in Chinese."""

import re

import pytest
from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext, override

HAN, ACRONYM = re.compile("[一-鿿]"), re.compile("[A-Z]+")
READ = list(apps.get_app_config("ads").get_models())


@pytest.mark.parametrize("model", READ, ids=lambda model: model.__name__)
def test_what_is_shown_of_it_has_chinese_words(model: type[Model]) -> None:
    fields = [field for field in model._meta.get_fields() if not field.auto_created and field.concrete]
    many = str(model._meta.verbose_name_plural)
    names = [str(model._meta.verbose_name), many, *(str(field.verbose_name) for field in fields)]
    labels = [str(label) for field in fields for _, label in getattr(field, "choices", None) or []]

    with override("zh-hans"):
        read = {words: gettext(words) for words in names + labels}

    assert [words for words, shown in read.items() if not HAN.search(shown) and not ACRONYM.fullmatch(shown)] == []
