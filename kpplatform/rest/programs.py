"""Who says in `User-Agent` that they are a program: a short list of names, as the industry's list of robots begins."""

import re
from collections.abc import Mapping

# What programs that say who they are call themselves: crawlers, previews, monitors, browsers without a screen, and
# libraries. Who does not say so is found by what they do.
NAMES = (
    *("bot", "crawl", "spider", "slurp", "archiver", "preview", "facebookexternalhit", "mediapartners-google"),
    *("headlesschrome", "phantomjs", "puppeteer", "playwright", "selenium", "lighthouse", "pingdom", "uptime"),
    *("curl/", "wget/", "python-requests", "python-urllib", "aiohttp", "httpx", "go-http-client", "java/", "libwww"),
    *("scrapy", "httrack", "nutch", "sogou web"),
)
# Telephones whose makers' names have such letters in them.
NOT_THOSE = ("cubot",)
_NAMED, _NOT = (re.compile("|".join(map(re.escape, names)), re.IGNORECASE) for names in (NAMES, NOT_THOSE))


def is_program(headers: Mapping[str, str]) -> bool:
    """Whether who asks says that they are a program and not somebody who looks at a screen."""
    agent = headers.get("User-Agent", "")[:500]
    return bool(_NAMED.search(_NOT.sub("", agent)))
