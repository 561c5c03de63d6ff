"""PostgreSQL and Valkey from their wheels, when no DATABASE_URL / REDIS_URL is given.

A *folder* (`.data/`) holds everything: `servers.json` (ports and passwords), `lock` (who supervises) and
`servers/` (data and logs). The first caller of `servers` starts both and watches over them; a later caller
joins. Only the standard library is used: settings read the addresses from here.
"""

from kpplatform.embedded.errors import CannotStart
from kpplatform.embedded.state import Servers, running
from kpplatform.embedded.supervisor import servers, throwaway

__all__ = ["CannotStart", "Servers", "running", "servers", "throwaway"]
