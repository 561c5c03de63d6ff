"""Whether a tax id can be one: asked of python-stdnum, which knows the check digits of most countries."""

from collections.abc import Iterator
from typing import Any

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from kpplatform.errors import Invalid

# What these call by another name than VAT.
OTHERS = {"US": "tin"}
# What these call another name than a personal id.
PERSONAL = {"CN": "ric"}


class BadTaxId(Invalid):
    code = "bad_tax_id"


def checked_tax_id(said: str, *, place: str, is_person: bool = False) -> str:
    """Return the tax id as its country writes it, without spaces and in capitals; a person's may be their own number.

    Raises BadTaxId when it cannot be one, and for a country whose numbers cannot be checked.
    """
    country = place.partition("-")[0] or "CN"
    why = f"Tax ids of {country} cannot be checked here."
    for number in _numbers(country, is_person=is_person):
        try:
            return str(number.validate(said.replace(" ", "")))
        except ValidationError as error:
            why = f"This is no tax id of {country}: {error}"
    raise BadTaxId(why)


def _numbers(country: str, *, is_person: bool) -> Iterator[Any]:
    """Yield what checks the numbers of a country: companies', and of a person also people's."""
    names = [OTHERS.get(country, "vat"), *([PERSONAL.get(country, "personalid")] if is_person else [])]
    for name in names:
        if number := get_cc_module(country, name):
            yield number
