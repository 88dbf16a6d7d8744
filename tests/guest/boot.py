"""Boots the guest on the host's own root, read-only, and judges what it said. Exit code 1 if anything is missing."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from core.clock import MonotonicClock
from tests.guest.groups import expected
from tests.guest.verdict import problems

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 600
"""Longest run of all, s: on an idle machine it takes a minute or two, on a loaded one several times that."""
CLOCK = MonotonicClock()


def command(cache: Path, said: Path, only: str) -> list[str]:
    """Return the command that boots the guest. Its console is ours, its second line the file ``said``."""
    # numpy needs more than the default processor has. The folder is told to the guest, which finds the checks there.
    return [
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536",
        "-display", "none", "-monitor", "none", "-no-reboot", "-serial", "stdio", "-serial", f"file:{said}",
        "-nic", "none", "-kernel", str(cache / "vmlinuz"), "-initrd", str(cache / "initramfs.gz"),
        "-virtfs", "local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap",
        "-append", f"console=ttyS0 quiet panic=-1 loglevel=3 rigloop={ROOT} rigloop_only={only}",
    ]  # fmt: skip


def main() -> int:
    """Boot, wait, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path, help="folder that make_cache.sh filled")
    parser.add_argument("--only", default="", help="one group of checks, such as checks_licks")
    options = parser.parse_args()
    begin = CLOCK.now_ns()
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        said.touch()
        try:
            subprocess.run(
                command(options.cache.resolve(), said, options.only),
                stdin=subprocess.DEVNULL,
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            print(f"guest: stopped after {LIMIT_S} s")
        lines = said.read_text(encoding="utf-8", errors="replace").splitlines()
    print("\n".join(line for line in lines if line.startswith("ok ")))
    found = problems(expected(options.only), lines)
    print("\n".join(found))
    print(f"guest: {len(expected(options.only))} checks, {len(found)} problems, {(CLOCK.now_ns() - begin) / 1e9:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
