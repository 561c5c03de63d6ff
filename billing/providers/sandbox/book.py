"""What the sandbox remembers: a file of JSON lines that only grows. The last line about a thing is how it is."""

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Book:
    """Tables in memory, written behind one another into the file; a line is all of one change, or nothing."""

    def __init__(self, path: Path) -> None:
        kinds = (
            "checkouts",
            "methods",
            "charges",
            "refunds",
            "payouts",
            "disputes",
            "splits",
            "returns",
            "answers",
            "events",
        )
        self.tables: dict[str, dict[str, Row]] = {kind: {} for kind in kinds}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        whole = 0
        for line in path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break  # the last one was cut off by a crash: it never happened
            self._remember(json.loads(line))
            whole += len(line)
        self.file = path.open("ab")
        self.file.truncate(whole)

    def put(self, changes: dict[str, list[Row]]) -> None:
        """Remember rows, by table, all at once."""
        self.file.write(json.dumps(changes, ensure_ascii=False).encode() + b"\n")
        self.file.flush()
        self._remember(changes)

    def _remember(self, changes: dict[str, list[Row]]) -> None:
        for table, rows in changes.items():
            for row in rows:
                self.tables[table][row["id"]] = row
