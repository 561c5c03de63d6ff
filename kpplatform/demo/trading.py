"""What is sold beside single courses, walked over HTTP: a tip, coins and a gift, a bundle and a part of it back."""

from typing import Any

from kpplatform.demo.walking import Journey, Person, must, pay_at_the_provider, until

TIP, PACK, GIFT = 500, 1_000, 106  # minor units; coins; coins


def walk(journey: Journey, viewer: Person, staff: Person) -> None:
    """Buy what else there is; each step leaves the books right for the next."""
    _tip(journey, viewer)
    _gift(journey, viewer, staff)
    _bundle(journey, viewer, staff)


def _tip(journey: Journey, viewer: Person) -> None:
    with journey.step("give a tip with a message"):
        handle = viewer.feed()[0]["creator"]["handle"]
        _buy(viewer, {"creator": handle, "amount": TIP, "message": "谢谢 Thank you"})
        [given] = viewer.ask("GET", "/api/v1/givings/")["results"]
        must((given["amount"], given["message"]) == (TIP, "谢谢 Thank you"), f"another tip: {given}")


def _gift(journey: Journey, viewer: Person, staff: Person) -> None:
    with journey.step("buy coins"):
        pack = staff.ask("POST", "/api/v1/coin-packs/", {"title": "一千枚 A thousand", "coins": PACK}, expect=201)
        _buy(viewer, {"product": pack["id"]})
        must(viewer.ask("GET", "/api/v1/coins/")["coins"] == PACK, "the coins are not there")
    with journey.step("give a gift for coins") as found:
        about = {"name_zh": "花", "name_en": "Flower", "coins": GIFT}
        gift = staff.ask("POST", "/api/v1/gifts/", about, expect=201)
        video = viewer.feed()[0]["id"]
        viewer.ask("POST", "/api/v1/givings/", {"gift": gift["id"], "item": video}, expect=201)
        found["coins left"] = viewer.ask("GET", "/api/v1/coins/")["coins"]
        must(found["coins left"] == PACK - GIFT, "the gift cost something else")


def _bundle(journey: Journey, viewer: Person, staff: Person) -> None:
    with journey.step("buy a bundle with a coupon"):
        courses = viewer.ask("GET", "/api/v1/items/?kind=course")["results"][:2]
        about = {"kind": "bundle", "title": "合集 All together", "amount": 9_900}
        contents = [{"item": course["id"]} for course in courses]
        bundle = staff.ask("POST", "/api/v1/products/", about | {"contents": contents}, expect=201)
        coupon = staff.ask("POST", "/api/v1/coupons/", {"bps": 1_000, "product": bundle["id"]}, expect=201)
        order = _buy(viewer, {"product": bundle["id"]}, coupon=coupon["code"])
        must(viewer.ask("GET", order)["amount"] == 8_910, "a tenth of the price was not taken off")
    with journey.step("give a part of its price back"):
        viewer.ask("POST", f"{order}refund/", {"amount": 900}, expect=201)
        until(lambda: _refunds(viewer, order) == ["sent"], "the money was not sent back")
        must(viewer.ask("GET", order)["state"] == "paid", "a part ended all of it")


def _buy(viewer: Person, *lines: dict[str, Any], **more: str) -> str:
    """Order, pay, and wait until it is booked; return the order's address."""
    placed = viewer.ask("POST", "/api/v1/orders/", {"lines": list(lines), **more}, expect=201)
    order = f"/api/v1/orders/{placed['id']}/"
    pay_at_the_provider(viewer.ask("POST", f"{order}pay/", {})["checkout_url"])
    until(lambda: viewer.ask("GET", order)["state"] == "paid", "the order is not paid")
    return order


def _refunds(viewer: Person, order: str) -> list[str]:
    return [refund["state"] for line in viewer.ask("GET", order)["lines"] for refund in line["refunds"]]
