"""The page's server for a benchmark: it sees no session of this machine but those that meet it in one folder.

``python -m bench.page_alone FOLDER`` prints its port, and serves until its input ends.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import recording.lock_file
from dashboard.parts import Page
from dashboard.server import Address, access_for, listen, serve

ROOT = Path(__file__).resolve().parent.parent


def meet_in(folder: Path) -> None:
    """Let sessions and pages of this process meet in ``folder``, and nowhere else."""
    recording.lock_file.SHARED_FOLDERS = (folder,)


def main() -> None:
    """Serve."""
    meet_in(Path(sys.argv[1]))
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    # The input ends with the benchmark, however that ends.
    threading.Thread(target=wait, daemon=True).start()
    address = Address(port=0)
    with listen(address) as listening:
        port = listening.getsockname()[1]
        print(port, flush=True)
        page = Page(ROOT / "config.ini", sys.argv[1], (sys.executable, "-m", "cli.main"), ROOT, "bench")
        serve(listening, access_for(address, port, {}), page, ended.is_set)


if __name__ == "__main__":
    main()
