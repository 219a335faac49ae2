"""A PostgreSQL server of its own, in a folder, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from demo.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

OWNER: Final = "airflow"


def postgres_folder() -> Path | None:
    """Find the folder of PostgreSQL's programs: Debian keeps them off the PATH."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    folders = [*installed, *([Path(on_path).parent] if on_path else [])]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class LocalPostgres(Process):
    """A running server; `url(name)` is the address of a database in it."""

    def __init__(self, folder: Path) -> None:
        programs = postgres_folder()
        if programs is None:
            msg = "PostgreSQL is not installed: run `make services`, or install postgresql"
            raise FileNotFoundError(msg)
        self._programs, self._data, self.port = programs, folder / "data", free_port()
        self._data.mkdir(parents=True)
        _hand_over(self._data)
        self._run("initdb", "-D", str(self._data), "-U", OWNER, "-A", "trust", "-N", "-E", "UTF8")
        serve = [
            "-D",
            str(self._data),
            "-p",
            str(self.port),
            "-h",
            "127.0.0.1",
            "-k",
            str(self._data),
            "-c",
            "fsync=off",
        ]
        super().__init__([*_as_owner(), str(programs / "postgres"), *serve], log=folder / "postgres.log")
        self.wait_until(self._answers, what="PostgreSQL", seconds=60)

    def create_database(self, name: str) -> str:
        """Create an empty database and give its address."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, name)
        return self.url(name)

    def url(self, database: str, *, user: str = OWNER, password: str = "") -> str:
        """Give the SQLAlchemy address of a database for a user."""
        secret = f":{password}" if password else ""
        return f"postgresql+psycopg2://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def script(self, database: str, file: Path, **variables: str) -> None:
        """Run a file of SQL with psql, stopping at the first error."""
        given = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
        connection = ["-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, "-d", database]
        with file.open() as sql:
            self._run("psql", "-q", "-v", "ON_ERROR_STOP=1", *given, *connection, stdin=sql)

    def _answers(self) -> bool:
        ask = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ask, check=False).returncode == 0  # noqa: S603 - our own command

    def _run(self, program: str, *arguments: str, stdin: object = None) -> None:
        command = [*_as_owner(), str(self._programs / program), *arguments]
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            check=False,
            capture_output=True,
            text=True,
            stdin=stdin,
            cwd="/",  # type: ignore[call-overload]
        )
        if done.returncode:
            msg = f"{program} failed: {done.stderr.strip()}"
            raise RuntimeError(msg)


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: give the user to run it as then."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _as_owner() -> Sequence[str]:
    user = _unprivileged()
    return (
        () if user is None else ("setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups")
    )


def _hand_over(folder: Path) -> None:
    user = _unprivileged()
    if user is not None:
        shutil.chown(folder, user)
        for parent in folder.parents:
            if parent.stat().st_uid == 0 and parent not in {Path("/"), Path("/tmp")}:  # noqa: S108 - compared only
                parent.chmod(parent.stat().st_mode | 0o011)
