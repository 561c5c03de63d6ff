"""Valkey: the broker of the jobs, and the cache."""

import json

from kpplatform.embedded.places import PRIVATE
from kpplatform.embedded.server import Run, Server
from kpplatform.embedded.state import HOST, valkey_answers

# A broker must not forget: nothing is evicted, every write is in the append-only file before its answer, and
# on the disk within a second. Asked to stop, it does so even if it cannot write any more.
SETTINGS = """\
bind {host}
port {port}
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
shutdown-on-sigterm force
shutdown-on-sigint force
proc-title-template "{{title}} {{listen-addr}} {mark}"
daemonize no
"""


def server(run: Run) -> Server:
    """Write the settings (a password on the command line would be seen by all) and return the server."""
    state, folder = run.state, run.home / "valkey"
    folder.mkdir(exist_ok=True)
    run.account.own(folder, PRIVATE)
    mark = f"{state.mark}-valkey"
    settings = run.home / f"{mark}.conf"
    for older in run.home.glob("*-valkey.conf"):
        older.unlink()
    settings.touch(mode=0o600)
    settings.write_text(
        SETTINGS.format(
            host=HOST,
            port=state.valkey_port,
            password=state.valkey_password,
            folder=json.dumps(str(folder), ensure_ascii=False),
            mark=mark,
        )
    )
    run.account.own(settings, 0o400)
    return Server(
        name="Valkey",
        mark=mark,
        command=[str(run.programs.valkey), str(settings)],
        identity=run.account.identity,
        log=run.home / "valkey.log",
        ready=lambda _: valkey_answers(state.valkey_port, state.valkey_password),
    )
