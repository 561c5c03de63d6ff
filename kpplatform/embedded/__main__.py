"""`python -m kpplatform.embedded --data FOLDER`: run the servers in the foreground until Ctrl-C."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from kpplatform.embedded.errors import CannotStart
from kpplatform.embedded.supervisor import servers


def main() -> int:
    arguments = _arguments()
    logging.basicConfig(format="%(message)s")
    for sign in (signal.SIGINT, signal.SIGTERM):
        # Also where a shell started us in the background, with SIGINT ignored.
        signal.signal(sign, signal.default_int_handler)
    try:
        with servers(
            arguments.data,
            postgresql_port=arguments.postgresql_port,
            valkey_port=arguments.valkey_port,
            fast=arguments.fast,
        ) as found:
            sys.stdout.write(f"DATABASE_URL={found.database_url}\nREDIS_URL={found.redis_url}\n")
            sys.stdout.flush()
            threading.Event().wait()
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run PostgreSQL and Valkey until Ctrl-C.")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="the folder to keep everything in")
    parser.add_argument("--postgresql-port", type=int)
    parser.add_argument("--valkey-port", type=int)
    parser.add_argument("--fast", action="store_true", help="do not wait for the disk: throw-away data only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
