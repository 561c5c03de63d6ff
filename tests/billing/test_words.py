"""Staff and creators read of payouts, statements, taxes and papers in Chinese."""

import re

import pytest
from django.db.models import Model
from django.utils.translation import gettext, override

from billing import models

HAN, ACRONYM = re.compile("[一-鿿]"), re.compile("[A-Z]+")
READ = (
    models.BillingProfile,
    models.Channel,
    models.ExchangeRate,
    models.InstalmentOffer,
    models.InstalmentPart,
    models.InstalmentPlan,
    models.Invoice,
    models.InvoiceRequest,
    models.InvoiceSeries,
    models.OutsideIncome,
    models.OutsideStatement,
    models.Payee,
    models.Payout,
    models.PayoutAccount,
    models.PayoutBatch,
    models.PayoutChange,
    models.PayoutHold,
    models.PriceArm,
    models.PriceExperiment,
    models.PriceShown,
    models.Remittance,
    models.Settlement,
    models.SettlementLine,
    models.SettlementPeriod,
    models.TaxRule,
    models.TriedLine,
    models.WithholdingRule,
)


@pytest.mark.parametrize("model", READ, ids=lambda model: model.__name__)
def test_what_is_shown_of_it_has_chinese_words(model: type[Model]) -> None:
    fields = [field for field in model._meta.get_fields() if not field.auto_created and field.concrete]
    names = [str(model._meta.verbose_name), *(str(field.verbose_name) for field in fields)]
    labels = [str(label) for field in fields for _, label in getattr(field, "choices", None) or []]

    with override("zh-hans"):
        read = {words: gettext(words) for words in names + labels}

    assert [words for words, shown in read.items() if not HAN.search(shown) and not ACRONYM.fullmatch(shown)] == []
