"""In the guest: makes the GPIO chips, runs each group of checks in a process of its own, says how it went on ttyS1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.guest.groups import Group, chosen
from tests.guest.sim import make_banks
from tests.guest.verdict import END

ROOT = Path(__file__).resolve().parents[2]
CHANNEL = "/dev/ttyS1"


def run_group(group: Group) -> None:
    """Run one group; one that does not end is killed, and its checks are missed by the host."""
    folders = [str(ROOT), *(str(ROOT / ".guest" / each) for each in group.libraries)]
    environment = {**os.environ, **group.environment, "PYTHONPATH": os.pathsep.join(folders)}
    command = [sys.executable, "-m", "tests.guest.run_group", group.module, CHANNEL]
    print(f"guest: {group.module}", flush=True)
    try:
        subprocess.run(command, env=environment, cwd=ROOT, timeout=group.limit_s, check=False)
    except subprocess.TimeoutExpired:
        print(f"guest: {group.module} did not end in {group.limit_s} s", flush=True)


def main() -> None:
    """Run them all."""
    make_banks()
    words = Path("/proc/cmdline").read_text(encoding="utf-8").split()
    only = next((word.removeprefix("rigloop_only=") for word in words if word.startswith("rigloop_only=")), "")
    for group in chosen(only):
        run_group(group)
    Path(CHANNEL).write_text(f"{END}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
