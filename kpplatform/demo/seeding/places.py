"""Which row of the world is which row of the tenant."""

from dataclasses import dataclass

from kpplatform.demo.copying import Ids


@dataclass(frozen=True)
class Places:
    """The ids of the tenant's rows (n,), by their place in the world."""

    domains: Ids
    topics: Ids
    creators: Ids
    courses: Ids
    videos: Ids
    viewers: Ids
