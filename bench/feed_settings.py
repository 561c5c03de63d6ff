"""The platform's settings, with a view beside the feed that does nothing: the baseline."""

from kpplatform.settings import *  # noqa: F403

ROOT_URLCONF = "bench.feed_urls"
