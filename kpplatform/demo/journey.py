"""The main job, walked over real HTTP: sign up, watch, like, buy, play, refund; publish; and the ledger verifies."""

import json
import subprocess
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from kpplatform.demo import campaigning, earning, trading
from kpplatform.demo.programs import PYTHON, Programs
from kpplatform.demo.sites import SITES, SignIns, Site
from kpplatform.demo.walking import Journey, Person, WentWrong, must, pay_at_the_provider, until


def walk(*, port: int, programs: Programs, sign_ins: SignIns) -> dict[str, Any]:
    """Walk the whole journey; return its steps, and whether all of them went well."""
    journey = Journey(port, programs)
    viewer = Person(port, SITES[0])
    try:
        _watch_and_like(journey, viewer)
        _withdraw_consent(journey, viewer.site)
        order, lesson = _buy(journey, viewer)
        _refund(journey, viewer, order=order, lesson=lesson)
        _trade(journey, viewer, sign_ins)
        _publish(journey, viewer, sign_ins)
        _stay_apart(journey, viewer)
        _read_figures(journey, viewer.site, sign_ins)
        _verify(journey)
    except (WentWrong, OSError, KeyError, IndexError, subprocess.CalledProcessError):
        # The failed step is written down; the rest was not walked.
        return {"ok": False, "steps": journey.steps}
    return {"ok": True, "steps": journey.steps}


def _watch_and_like(journey: Journey, viewer: Person) -> None:
    with journey.step("sign up"):
        viewer.sign_up()
    with journey.step("the feed is filled") as found:
        page = viewer.ask("GET", "/api/v1/feed/")
        first = page["results"]
        must(len(first) == 20, f"a page has {len(first)} items")
        must(page["version"] is not None, "no trained model chose it")
        found["version"] = page["version"]
    with journey.step("watch and like"):
        watched = first[:3]
        events = [_watched(item, number) for number, item in enumerate(watched)]
        viewer.ask("POST", "/api/v1/watches/", {"watches": events}, expect=(200, 201))
        viewer.ask("PUT", f"/api/v1/items/{watched[0]['id']}/reactions/like/", expect=(200, 201, 204))
    with journey.step("the next page differs") as found:
        second = viewer.feed()
        before, after = [[item["id"] for item in page] for page in (first, second)]
        must(not {item["id"] for item in watched} & set(after), "a watched video is shown again")
        must(before != after, "the same page again")
        found["new items"] = len(set(after) - set(before))


def _withdraw_consent(journey: Journey, site: Site) -> None:
    """Somebody else withdraws: they are served and counted, and nothing of it is theirs."""
    silent = Person(journey.port, site)
    with journey.step("who withdraws consent is served what everybody is, twice nothing, and by no model") as found:
        silent.sign_up()
        silent.ask("POST", "/api/v1/consents/withdraw/", {"purpose": "personal_events"}, expect=201)
        first = silent.ask("GET", "/api/v1/feed/")
        second = silent.ask("GET", urlsplit(first["next"])._replace(scheme="", netloc="").geturl())
        shown = [item["id"] for page in (first, second) for item in page["results"]]
        must(first["version"] is None, "a model chose it")
        must(len(shown) == len(set(shown)) == 40, "a video is shown again")
        found["shown"] = len(shown)
    with journey.step("what they watch is stored, once, and not as theirs"):
        events = [_watched(item, number) for number, item in enumerate(first["results"][:3])]
        told = [silent.ask("POST", "/api/v1/watches/", {"watches": events}) for _ in range(2)]
        must([(one["stored"], one["known"]) for one in told] == [(3, 0), (0, 3)], f"recorded as {told}")
        why = f"/api/v1/items/{first['results'][0]['id']}/why/"
        silent.ask("GET", why, expect=404)


def _buy(journey: Journey, viewer: Person) -> tuple[str, str]:
    """Buy a course; return the addresses of the order and of a lesson that plays now."""
    with journey.step("a lesson of a course does not play before it is bought"):
        course = viewer.ask("GET", "/api/v1/items/?kind=course")["results"][0]
        sections = viewer.ask("GET", f"/api/v1/items/{course['id']}/")["sections"]
        closed = next(one for section in sections for one in section["lessons"] if not one["is_preview"])
        lesson = f"/api/v1/lessons/{closed['id']}/"
        must(viewer.ask("GET", lesson, expect=402)["code"] == "not_bought", "refused for another reason")
    with journey.step("buy the course"):
        placed = viewer.ask("POST", "/api/v1/orders/", {"item": course["id"]}, expect=201)
        order = f"/api/v1/orders/{placed['id']}/"
        payment = viewer.ask("POST", f"{order}pay/", {}, expect=(200, 201))
        pay_at_the_provider(payment["checkout_url"])
    with journey.step("its webhook arrives"):
        until(lambda: viewer.ask("GET", order)["state"] == "paid", "the order is not paid")
    with journey.step("the lesson plays"):
        played = viewer.ask("GET", lesson)
        must(bool(played["body"] or played["video"]), "the lesson is empty")
    return order, lesson


def _refund(journey: Journey, viewer: Person, *, order: str, lesson: str) -> None:
    with journey.step("refund"):
        viewer.ask("POST", f"{order}refund/", {}, expect=(200, 201, 202))
    with journey.step("it no longer plays"):
        until(lambda: viewer.ask("GET", lesson, expect=(200, 402)).get("code") == "not_bought", "it still plays")


def _trade(journey: Journey, viewer: Person, sign_ins: SignIns) -> None:
    staff, creator = Person(journey.port, viewer.site), Person(journey.port, viewer.site)
    for person, role in ((staff, "admin"), (creator, "creator")):
        person.sign_in(SignIns.email(person.site, role), sign_ins.password)
    trading.walk(journey, viewer, staff)
    charged = campaigning.walk(journey, viewer, creator, staff)
    earning.walk(journey, viewer, creator, staff)
    campaigning.see_share(journey, charged, creator)


def _publish(journey: Journey, viewer: Person, sign_ins: SignIns) -> None:
    """Publish a video; it must reach the feed of somebody at once."""
    creator = Person(journey.port, viewer.site)
    with journey.step("publish a video"):
        creator.sign_in(SignIns.email(viewer.site, "creator"), sign_ins.password)
        about = {"title": "一分钟讲清楚 In one minute", "duration_ms": 60_000, "language": "zh-hans"}
        video = creator.ask("POST", "/api/v1/videos/", about, expect=201)
        creator.ask("POST", f"/api/v1/videos/{video['id']}/publish/", {})
    with journey.step("a video published a second ago reaches somebody") as found:
        somebody = Person(journey.port, viewer.site)
        somebody.sign_up()
        pages = 0

        def reached() -> bool:
            nonlocal pages
            pages += 1
            return video["id"] in [item["id"] for item in somebody.feed()]

        until(reached, "half a minute of pages without it")
        found["pages asked"] = pages


def _stay_apart(journey: Journey, viewer: Person) -> None:
    with journey.step("the other tenant knows nothing of it"):
        elsewhere = Person(journey.port, SITES[1], token=viewer.token)
        item = viewer.feed()[0]["id"]
        elsewhere.ask("GET", f"/api/v1/items/{item}/", expect=404)
        must(elsewhere.ask("GET", "/api/v1/orders/")["results"] == [], "orders of another tenant")


def _read_figures(journey: Journey, site: Site, sign_ins: SignIns) -> None:
    with journey.step("the days were counted, and staff read how much was played on them") as found:
        staff = Person(journey.port, site)
        staff.sign_in(SignIns.email(site, "admin"), sign_ins.password)
        told = staff.ask("GET", "/api/v1/metrics/plays/")
        found["plays in four weeks"] = sum(of["value"] for of in told["figures"])
        must(len(told["figures"]) > 1, "no day was counted")
        table = staff.take("/api/v1/metrics/plays/?form=csv").decode().splitlines()
        must(len(table) == 1 + len(told["figures"]), "the table has other days")


def _verify(journey: Journey) -> None:
    with journey.step("the ledger verifies") as found:
        command = [PYTHON, "manage.py", "verify_ledger", "--json"]
        done = subprocess.run(
            command, env=dict(journey.programs.environment), check=True, capture_output=True, text=True
        )
        found["ledger"] = json.loads(done.stdout)


def _watched(item: dict[str, Any], number: int) -> dict[str, Any]:
    started = datetime.now(UTC) - timedelta(minutes=10 - number)
    return {
        "event_id": str(uuid.uuid4()),
        "item": item["id"],
        "started_at": started.isoformat(),
        "watch_ms": item["duration_ms"],
        "source": "feed",
    }
