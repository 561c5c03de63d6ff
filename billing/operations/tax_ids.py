"""Whether a tax id can be one: asked of python-stdnum, which knows the check digits of most countries."""

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from kpplatform.errors import Invalid

# What these call by another name than VAT.
OTHERS = {"US": "tin"}


class BadTaxId(Invalid):
    code = "bad_tax_id"


def checked_tax_id(said: str, *, place: str) -> str:
    """Return the tax id as its country writes it, without spaces and in capitals.

    Raises BadTaxId when it cannot be one, and for a country whose numbers cannot be checked.
    """
    country = place.partition("-")[0] or "CN"
    number = get_cc_module(country, OTHERS.get(country, "vat"))
    if number is None:
        raise BadTaxId(f"Tax ids of {country} cannot be checked here.")
    try:
        return str(number.validate(said))
    except ValidationError as error:
        raise BadTaxId(f"This is no tax id of {country}: {error}") from error
