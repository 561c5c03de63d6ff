"""PostgreSQL: made once with its owner and extensions, then started with settings for a small machine."""

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from kpplatform.embedded.errors import CannotStart
from kpplatform.embedded.places import PRIVATE, Account
from kpplatform.embedded.server import ENVIRONMENT, Run, Server, failure
from kpplatform.embedded.state import DATABASE, HOST, OWNER, SUPERUSER, postmaster

EXTENSIONS = ("vector", "pg_trgm", "btree_gist", "unaccent")

# In template1, so that every database made later (the tests') has them too. LEAKPROOF lets LIKE and @@ use
# their indexes below row-level security. In single-user mode a statement is a line.
FIRST_STATEMENTS = (
    *(f"CREATE EXTENSION {name};" for name in EXTENSIONS),
    "ALTER FUNCTION pg_catalog.textlike(text, text) LEAKPROOF;",
    "ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) LEAKPROOF;",
    "CREATE ROLE {owner} LOGIN CREATEDB CREATEROLE PASSWORD '{password}';",
    "CREATE DATABASE {database} OWNER {owner};",
)

# The collation is built in. The character classes are the system's: with plain C, pg_trgm would take no
# Chinese character for a part of a word.
LOCALE = (
    "--encoding=UTF8",
    "--locale=C",
    f"--lc-ctype={'en_US.UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "work_mem": "8MB",
    "min_dynamic_shared_memory": "64MB",  # in containers /dev/shm is often no larger than that
    "jit": "off",
    "random_page_cost": "1.1",
    "synchronous_commit": "on",  # a commit is money
    "wal_level": "minimal",  # nobody replicates from here, and COPY into a new table is cheaper
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def server(run: Run) -> Server:
    """Make the data folder if there is none and return its server. Raises CannotStart.

    A fast run does not wait for the disk. What is committed then still survives `kill -9` of PostgreSQL,
    for the system has it already; it does not survive a loss of power. For throw-away data only.
    """
    state, data = run.state, run.home / "postgresql"
    mark = f"{state.mark}-postgresql"
    if not data.exists():
        _make(data, run)
    if (found := (data / "PG_VERSION").read_text().strip()) != run.programs.major:
        raise CannotStart(
            f"{data} is of PostgreSQL {found}, the programs are of {run.programs.major}. Dump it with "
            "the old ones and load it into a fresh folder, or move it away to begin afresh."
        )
    settings = SETTINGS | {
        "port": str(state.postgresql_port),
        "unix_socket_directories": _quoted(state.sockets),
        "cluster_name": mark,  # stands in the title of every process
        "shared_buffers": f"{_shared_megabytes()}MB",
        "fsync": "off" if run.fast else "on",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Server(
        name="PostgreSQL",
        mark=mark,
        command=[str(run.programs.postgresql / "postgres"), "-D", str(data), *options],
        identity=run.account.identity,
        log=run.home / "postgresql.log",
        ready=lambda pid: postmaster(data) == pid,
        stale=(data / "postmaster.pid", Path(state.sockets, f".s.PGSQL.{state.postgresql_port}.lock")),
    )


def _make(data: Path, run: Run) -> None:
    """Make the data folder under another name first: it is there complete, or not at all."""
    programs, account, state = run.programs.postgresql, run.account, run.state
    for leftover in data.parent.glob("draft-*"):
        shutil.rmtree(leftover, ignore_errors=True)  # an initdb without its parent may still be writing
    draft = data.with_name(f"draft-{secrets.token_hex(4)}")
    draft.mkdir()
    account.own(draft, PRIVATE)
    password = data.with_name("password")
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    password.write_text(state.superuser_password)
    account.own(password, 0o400)
    initdb = [str(programs / "initdb"), "-D", str(draft), f"--username={SUPERUSER}"]
    sync = ["--no-sync"] if run.fast else []
    try:
        _run([*initdb, f"--pwfile={password}", "--auth=scram-sha-256", *LOCALE, *sync], account=account)
    finally:
        password.unlink()
    postgres = [str(programs / "postgres"), "--single", "-D", str(draft)]
    statements = "\n".join((*FIRST_STATEMENTS, "")).format(
        owner=OWNER, password=state.owner_password, database=DATABASE
    )
    _run([*postgres, "-c", "exit_on_error=on", "template1"], account=account, said=statements)
    draft.rename(data)


def _run(command: list[str], *, account: Account, said: str = "") -> None:
    done = subprocess.run(
        command,
        input=said,
        text=True,
        cwd="/",
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
        **account.identity,
    )
    if done.returncode:
        raise failure(f"{Path(command[0]).name} failed", done.stdout + done.stderr, Path("its output"))


def _quoted(folder: str) -> str:
    """Return the folder as an item of a list of folders, whatever its name."""
    return '"' + folder.replace('"', '""') + '"'


def _shared_megabytes() -> int:
    """Return a sixteenth of the memory, 128 MB at least and 256 MB at most."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    return max(128, min(256, memory // 16))
