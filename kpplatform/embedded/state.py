"""What is written down about a folder's servers, and whether they answer."""

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from kpplatform.embedded.errors import CannotStart

HOST = "127.0.0.1"
OWNER, SUPERUSER, DATABASE = "kp_owner", "postgres", "kpplatform"

# The protocol's "may we speak TLS?": answered with one byte by any PostgreSQL, and not logged.
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
PATIENCE = 2.0


@dataclass(frozen=True)
class Servers:
    """Where the servers are, and how to sign in."""

    database_url: str  # as the owner: may create databases and roles, is no superuser
    superuser_url: str  # for the few things only a superuser may do
    redis_url: str


@dataclass(frozen=True)
class State:
    """The content of servers.json."""

    mark: str  # stands in the command line of every process of the latest run
    sockets: str  # the folder of PostgreSQL's unix socket
    postgresql_port: int
    valkey_port: int
    owner_password: str
    superuser_password: str
    valkey_password: str

    @classmethod
    def unused(cls) -> Self:
        """Return the state of a folder never used: passwords, and everything else still to be chosen."""
        return cls(
            mark="",
            sockets="",
            postgresql_port=0,
            valkey_port=0,
            owner_password=secrets.token_hex(16),
            superuser_password=secrets.token_hex(16),
            valkey_password=secrets.token_hex(16),
        )

    @property
    def servers(self) -> Servers:
        postgresql = f"{HOST}:{self.postgresql_port}/{DATABASE}"
        return Servers(
            database_url=f"postgres://{OWNER}:{self.owner_password}@{postgresql}",
            superuser_url=f"postgres://{SUPERUSER}:{self.superuser_password}@{postgresql}",
            redis_url=f"redis://:{self.valkey_password}@{HOST}:{self.valkey_port}/0",
        )

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read the folder's state; None before the first start. Raises CannotStart when it is damaged."""
        try:
            return cls(**json.loads(_file(folder).read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise CannotStart(
                f"{_file(folder)} is damaged: {error}. It holds the databases' passwords: restore it, "
                f"or delete {folder} to begin afresh without its data."
            ) from error

    def save(self, folder: Path) -> None:
        """Write the state so that a crash leaves the old one or the new one."""
        draft = _file(folder).with_suffix(".new")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 - takes a descriptor
            json.dump(asdict(self), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(_file(folder))


def running(folder: Path) -> Servers | None:
    """Return the folder's servers if both answer now; takes a few milliseconds and starts no process."""
    try:
        state = State.load(folder)
    except OSError:
        return None
    if state is None:
        return None
    up = (
        postmaster(folder / "servers" / "postgresql") is not None
        and postgresql_answers(state.postgresql_port)
        and valkey_answers(state.valkey_port, state.valkey_password)
    )
    return state.servers if up else None


def postmaster(data: Path) -> int | None:
    """Return the process id of a PostgreSQL that has finished starting in this data folder."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return None
    return int(lines[0]) if len(lines) >= 8 and lines[7].strip() == "ready" else None


def postgresql_answers(port: int) -> bool:
    return _asked(port, SSL_REQUEST, ends=(b"N", b"S")) in {b"N", b"S"}


def valkey_answers(port: int, password: str) -> bool:
    reply = _asked(port, f"AUTH {password}\r\nPING\r\n".encode(), ends=(b"PONG\r\n",))
    return reply == b"+OK\r\n+PONG\r\n"


def _asked(port: int, question: bytes, *, ends: tuple[bytes, ...]) -> bytes:
    """Send the question and return what comes back, up to one of the ends; empty when nobody answers."""
    reply = b""
    try:
        with socket.create_connection((HOST, port), timeout=PATIENCE) as line:
            line.sendall(question)
            while not reply.endswith(ends) and b"-" not in reply:
                part = line.recv(1024)
                if not part:
                    break
                reply += part
    except OSError:
        return b""
    return reply


def _file(folder: Path) -> Path:
    return folder / "servers.json"
