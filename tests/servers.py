"""A pytest plugin, loaded before Django's settings: the real servers that the tests run on.

Without DATABASE_URL and REDIS_URL they are our embedded ones, in a folder that is thrown away.
"""

import atexit
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from kpplatform import embedded

stack = ExitStack()
atexit.register(stack.close)

data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kp-test-")))
data.chmod(0o755)
os.environ["DATA_DIR"] = str(data)
os.environ.setdefault("LOG_LEVEL", "WARNING")
if "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
    servers = stack.enter_context(embedded.servers(data))
    os.environ.setdefault("DATABASE_URL", servers.database_url)
    os.environ.setdefault("REDIS_URL", servers.redis_url)
