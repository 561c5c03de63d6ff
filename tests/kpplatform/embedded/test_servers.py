"""The embedded servers start, are watched over, come back, and stop: real ones, in throw-away folders."""

import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from kpplatform import embedded
from kpplatform.embedded import places
from kpplatform.embedded.state import State
from tests.kpplatform.embedded.conftest import (
    ask,
    eventually,
    guards_of,
    processes_of,
    supervisor,
    tell,
)

pytestmark = pytest.mark.slow


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
