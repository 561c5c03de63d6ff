"""What a viewer wants to buy."""

from dataclasses import dataclass

from billing.models import OrderLine, PriceArm, Product
from billing.money import Money
from billing.operations.said import NOTHING, Said
from catalog.models import Item
from creators.models import Creator


@dataclass(frozen=True)
class Wanted:
    """One thing that a viewer wants to buy: an item, a product, or a gift of money to a creator.

    The amount is the buyer's where the price is open, and of a gift; what they say with it is theirs too.
    """

    item: Item | None = None
    product: Product | None = None
    creator: Creator | None = None
    amount: Money | None = None
    said: Said = NOTHING

    @property
    def kind(self) -> str:
        return self.product.kind if self.product else OrderLine.Kind.ITEM if self.item else OrderLine.Kind.TIP

    @property
    def owner(self) -> Creator | None:
        """Return whose it is; None for the tenant's own."""
        return self.item.creator if self.item else self.product.creator if self.product else self.creator

    @property
    def title(self) -> str:
        return str(self.item or self.product or self.creator)

    @property
    def sold(self) -> tuple[int | None, int | None, int | None]:
        """Return by what an order placed again is known to be the same."""
        return (
            self.item.pk if self.item else None,
            self.product.pk if self.product else None,
            self.creator.pk if self.creator and not self.item and not self.product else None,
        )


@dataclass(frozen=True)
class Quoted:
    """What one thing costs: its price, what a coupon takes off, and how what is left to pay is divided.

    With an arm, that is a price which is tried; `listed` is the highest that anybody pays.
    """

    wanted: Wanted
    price: Money
    discount: Money
    parts: dict[str, Money]
    listed: Money
    arm: PriceArm | None = None

    @property
    def amount(self) -> Money:
        return self.price - self.discount
