"""What an installation makes for itself on its first start."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from kpplatform.settings import kept_secret

PROCESSES, STARTS = 8, 20


def test_processes_that_start_at_once_have_the_same_secret_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(PROCESSES) as pool:
        for start in range(STARTS):
            together, path = Barrier(PROCESSES), tmp_path / str(start) / "secret_key"

            def read(_: int, together: Barrier = together, path: Path = path) -> str:
                together.wait()
                return kept_secret(path)

            (key,) = set(pool.map(read, range(PROCESSES)))

            assert len(key) > 50
            assert path.read_text() == key
            assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_was_not_written_to_the_end_of_a_first_start_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    path.touch(mode=0o600)

    assert kept_secret(path) == kept_secret(path) != ""
