"""The journal: what was made of what, when, by which run, and what it cost."""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import cast

from .canonical import canonical

_FLUSH_SECONDS = 0.5
_COSTLY = 0.05
"""Seconds that a result took that is written down at once."""
_MOST_ROWS = 200_000
NEAR = 8
"""How many of the latest results of a type are looked through for the nearest."""
_SCHEMA = """
create table if not exists runs (
  id text primary key, workflow text not null, started real not null, profile text not null
);
create table if not exists codes (digest text primary key, files text not null);
create table if not exists results (
  key text not null, node text not null, workflow text not null, type text not null,
  run text not null, created real not null, seconds real not null, bytes integer not null,
  peak integer, made_of text not null, work real
);
create index if not exists results_by_node on results (workflow, node, created);
create index if not exists results_by_type on results (type, created);
"""

_COLUMNS = "key, node, workflow, type, run, created, seconds, bytes, peak, made_of, work"


def run_id() -> str:
    """An id for a run; ids sort by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


@dataclass(frozen=True)
class MadeOf:
    """What a key is the digest of, in parts that can be compared."""

    version: int
    code: str
    inputs: Mapping[str, str]
    """Canonical JSON by input; a link is told by the key of the node that it leads to."""
    mark: str = ""
    """What the node reads from outside its inputs."""

    def text(self) -> str:
        """As JSON."""
        return canonical([self.version, self.code, dict(self.inputs), self.mark])


@dataclass(frozen=True)
class Entry:
    """One result, as the journal tells of it."""

    key: str
    node: str
    workflow: str
    type_name: str
    run: str
    created: float
    seconds: float
    bytes: int
    peak: int | None
    made_of: MadeOf
    profile: Mapping[str, str] = field(default_factory=dict)
    work: float | None = None
    """How much there was to compute, in the node's own unit."""


_Plain = tuple[str, str, str, str, str, float, float, int, int | None]


@dataclass
class Journal:
    """A file that remembers results even when the store has let go of them.

    Nothing depends on it: what cannot be written or read is not remembered. Rows of cheap results
    are written in batches, at the end of a run at the latest.
    """

    path: Path
    rows: list[tuple[object, ...]] = field(default_factory=list)
    flushed: float = 0.0
    lock: Lock = field(default_factory=Lock)
    fault: str | None = None
    """Why it does not work, if it does not."""
    profiles: dict[str, dict[str, str]] = field(default_factory=dict)
    _connection: sqlite3.Connection | None = None

    def begin(self, run: str, workflow: str, profile: Mapping[str, str]) -> None:
        """Note that a run begins."""
        row = (run, workflow, time.time(), canonical(dict(profile)))
        self._write("insert or ignore into runs values (?, ?, ?, ?)", [row])

    def code(self, code: str, files: Mapping[str, str]) -> None:
        """Note which files, by their digests, a code digest stands for."""
        self._write("insert or ignore into codes values (?, ?)", [(code, canonical(dict(files)))])

    def note(self, entry: Entry) -> None:
        """Note a result."""
        row = (
            entry.key, entry.node, entry.workflow, entry.type_name, entry.run, entry.created,
            entry.seconds, entry.bytes, entry.peak, entry.made_of.text(),
            entry.work,
        )  # fmt: skip
        with self.lock:
            self.rows.append(row)
            due = time.monotonic() - self.flushed > _FLUSH_SECONDS or entry.seconds > _COSTLY
        if due:
            self.flush()

    def flush(self) -> None:
        """Write what was noted."""
        with self.lock:
            rows, self.rows = self.rows, []
            self.flushed = time.monotonic()
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self._write(f"insert into results ({_COLUMNS}) values ({places})", rows)  # noqa: S608

    def of_node(self, workflow: str, node: str, most: int = NEAR) -> list[Entry]:
        """The latest results of a node of a workflow, the latest first."""
        return self._entries("workflow = ? and node = ?", (workflow, node), most)

    def of_type(self, type_name: str) -> list[Entry]:
        """The latest results of a type, the latest first."""
        return self._entries("type = ?", (type_name,))

    def files(self, code: str) -> dict[str, str]:
        """The files behind a code digest, with theirs; none if it is not known."""
        rows = self._read("select files from codes where digest = ?", (code,))
        return dict(json.loads(str(rows[0][0]))) if rows else {}

    def run(self, run: str) -> tuple[str, float] | None:
        """The workflow of a run, and when it began."""
        rows = self._read("select workflow, started from runs where id = ?", (run,))
        return (str(rows[0][0]), float(rows[0][1])) if rows else None

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        self.flush()
        with self.lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _entries(self, where: str, values: tuple[str, ...], most: int = NEAR) -> list[Entry]:
        rows = self._read(
            f"select {_COLUMNS} from results where {where}"  # noqa: S608 - no value of a user's
            f" order by created desc limit {most}",
            values,
        )
        entries = []
        for row in rows:
            with suppress(ValueError, TypeError):
                plain = cast("_Plain", row[:-2])
                parts = MadeOf(*json.loads(str(row[-2])))
                work = cast("float | None", row[-1])
                entries.append(Entry(*plain, parts, self._profile(plain[4]), work))
        return entries

    def _profile(self, run: str) -> dict[str, str]:
        """The numeric profile of a run, read once."""
        found = self.profiles.get(run)
        if found is None:
            rows = self._read("select profile from runs where id = ?", (run,))
            found = self.profiles[run] = dict(json.loads(str(rows[0][0]))) if rows else {}
        return found

    # The file

    def _write(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        try:
            with self.lock:
                connection = self._opened()
                with connection:
                    connection.executemany(statement, rows)
        except (sqlite3.Error, OSError) as error:
            self.fault = str(error)

    def _read(self, statement: str, values: tuple[str, ...]) -> list[tuple[str | float, ...]]:
        try:
            with self.lock:
                return self._opened().execute(statement, values).fetchall()
        except (sqlite3.Error, OSError) as error:
            self.fault = str(error)
            return []

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=5, check_same_thread=False)
            try:
                connection.execute("pragma journal_mode=wal")
                connection.execute("pragma synchronous=normal")
                connection.executescript(_SCHEMA)
                known = connection.execute("pragma table_info(results)").fetchall()
                if "work" not in {column[1] for column in known}:
                    connection.execute("alter table results add column work real")
                connection.execute(
                    "delete from results where rowid <= (select max(rowid) from results) - ?",
                    (_MOST_ROWS,),
                )
                connection.commit()
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection
