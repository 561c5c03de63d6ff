"""What becomes of a creator's money, walked over HTTP: a trial that renews, a statement, a payout, a report."""

from kpplatform.demo.walking import Journey, Person, must, pay_at_the_provider, until

MONTHLY = 19_900  # minor units
TRIAL_DAYS, TRIAL_IS_OVER, REFUNDS_ARE_OVER, MONTHS_ARE_OVER = 7, 8, 16, 62


def walk(journey: Journey, viewer: Person, creator: Person, staff: Person) -> None:
    """Let a creator earn, be told what, and be paid; `pass_time` lets the days between pass."""
    _membership(journey, viewer, creator)
    earned = _settlement(journey, creator)
    _payout(journey, creator, staff, earned)
    _reconciliation(journey, staff)


def _membership(journey: Journey, viewer: Person, creator: Person) -> None:
    with journey.step("join a membership with free days"):
        tier = creator.ask("POST", "/api/v1/tiers/", {"title": "同学会 Club"}, expect=201)
        about = {"interval": "month", "amount": MONTHLY, "trial_days": TRIAL_DAYS}
        plan = creator.ask("POST", f"/api/v1/tiers/{tier['id']}/plans/", about, expect=201)["plans"][0]
        method = f"/api/v1/payment-methods/{viewer.ask('POST', '/api/v1/payment-methods/', expect=201)['id']}/"
        pay_at_the_provider(viewer.ask("POST", f"{method}open/", {})["checkout_url"])
        until(lambda: _methods(viewer) == ["saved"], "the method is not saved")
        joined = {"plan": plan["id"], "method": int(method.split("/")[-2])}
        of = viewer.ask("POST", "/api/v1/subscriptions/", joined, expect=201)["subscription"]
        must(of["state"] == "trialing", f"it is {of['state']}")
    with journey.step("the free days end, and it renews by itself") as found:
        _pass_time(journey, viewer, TRIAL_IS_OVER, "renew")
        of = viewer.ask("GET", f"/api/v1/subscriptions/{of['id']}/")
        must((of["state"], len(of["periods"])) == ("active", 2), f"it is {of['state']}")
        found["paid until"] = of["ends_at"]


def _settlement(journey: Journey, creator: Person) -> int:
    """Return how much the creator may have."""
    with journey.step("the months are settled") as found:
        _pass_time(journey, creator, REFUNDS_ARE_OVER, "mature", "share")
        _pass_time(journey, creator, MONTHS_ARE_OVER, "settle")
        statement = creator.ask("GET", "/api/v1/settlements/")["results"][0]
        must(statement["opening"] + statement["movements"] == statement["closing"], "a statement does not add up")
        must(0 < statement["available"] < statement["closing"] + 1, f"not a sum that was earned: {statement}")
        address = f"/api/v1/settlements/{statement['id']}"
        must(creator.take(f"{address}/pdf/").startswith(b"%PDF"), "the statement is no PDF")
        must(
            str(statement["closing"] // 100) in creator.take(f"{address}/csv/").decode(), "the CSV says something else"
        )
        found["available"] = statement["available"]
    return int(statement["available"])


def _payout(journey: Journey, creator: Person, staff: Person, earned: int) -> None:
    with journey.step("pay it out"):
        where = {"rail": "sandbox", "holder": "张三", "number": "6222020200112233", "bank": "ICBC"}
        creator.ask("POST", "/api/v1/payout-accounts/", where, expect=201)
        payout = creator.ask("POST", "/api/v1/payouts/", {}, expect=201)
        must(payout["amount"] == earned, f"{payout['amount']} instead of {earned}")
        address = f"/api/v1/payouts/{payout['id']}/"
        staff.ask("POST", f"{address}approve/", {})
        until(lambda: creator.ask("GET", address)["state"] == "paid", "it was not paid out")


def _reconciliation(journey: Journey, staff: Person) -> None:
    with journey.step("a wrong fee in the provider's report is found, and nothing else") as found:
        _pass_time(journey, staff, 1, "reconcile", "--fault", "wrong_fee")
        listed, *others = staff.ask("GET", "/api/v1/reconciliation-exceptions/?state=open")["results"]
        must(not others, f"{len(others)} more are listed: {[listed, *others]}")
        must(listed["reason"] == "fee" and listed["found"] == listed["expected"] + 7, f"another difference: {listed}")
        explain = f"/api/v1/reconciliation-exceptions/{listed['id']}/explain/"
        staff.ask("POST", explain, {"note": "planted", "is_resolved": True})
        found["rows"] = staff.ask("GET", "/api/v1/reconciliations/")["results"][0]["rows"]


def _methods(viewer: Person) -> list[str]:
    return [method["state"] for method in viewer.ask("GET", "/api/v1/payment-methods/")["results"]]


def _pass_time(journey: Journey, person: Person, days: int, *work: str) -> None:
    journey.programs.run("pass_time", person.site.slug, *work, "--days", str(days), quiet=True)
