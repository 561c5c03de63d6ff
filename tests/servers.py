"""A pytest plugin, loaded before Django's settings: the real servers that the tests run on.

Without DATABASE_URL and REDIS_URL they are our embedded ones, thrown away at the end.
"""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack

from kpplatform import embedded

stack = ExitStack()
data = tempfile.mkdtemp(prefix="kp-test-")
stack.callback(shutil.rmtree, data, ignore_errors=True)
os.environ["DATA_DIR"] = data
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("SANDBOX_CHECKOUT", "1")
# Roles are the whole server's: those of a live installation on it keep their passwords.
os.environ.setdefault("ROLES", "test_kp")
# Processes among which the tests are shared out inherit the addresses, and bring up servers of their own all the same.
if os.environ.get("SERVERS_OF_TESTS"):
    del os.environ["DATABASE_URL"], os.environ["REDIS_URL"]
if "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
    servers = stack.enter_context(embedded.throwaway())
    os.environ["SERVERS_OF_TESTS"] = "embedded"
    os.environ.setdefault("DATABASE_URL", servers.database_url)
    os.environ.setdefault("REDIS_URL", servers.redis_url)
atexit.register(stack.close)
