"""What is told of the computer, also where it tells little, and of the code."""

import shutil
import subprocess
from subprocess import CompletedProcess

import pytest

from session import provenance
from session.provenance import host

CPU = "processor\t: 0\nmodel name\t: First\n\nprocessor\t: 1\nmodel name\t: Second\n"
PI = {
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
    "proc/cpuinfo": CPU,
    "proc/meminfo": "MemTotal:        8245764 kB\nMemFree: 1 kB\n",
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
}
TOLD = ("Raspberry Pi 5 Model B Rev 1.0", "Debian GNU/Linux 12 (bookworm)", "First", 8245764 * 1024)


@pytest.mark.parametrize(
    ("without", "place", "told"),
    [("", 0, TOLD[0]), ("proc/device-tree/model", 0, ""), ("proc/meminfo", 3, 0)],
    ids=["all", "no board", "no memory"],
)
def test_a_host_is_told_as_far_as_it_tells(tmp_path, without, place, told):
    for name, text in PI.items():
        if name != without:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
    facts = host(tmp_path)
    wanted = list(TOLD)
    wanted[place] = told
    assert [facts[key] for key in ("model", "system", "processor", "memory_bytes")] == wanted


def test_the_commit_of_the_code_is_told():
    head = ""
    if (provenance.ROOT / ".git").exists() and shutil.which("git"):
        words = ("git", "-C", str(provenance.ROOT), "rev-parse", "HEAD")
        head = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    assert provenance.software()["git"] == head


def test_a_repository_around_installed_code_is_not_its_version(tmp_path, monkeypatch):
    around = CompletedProcess((), 0, "0123abcd\n")
    monkeypatch.setattr(provenance.subprocess, "run", lambda *_, **__: around)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    told = provenance.software()
    assert (told["git"], told["git_changed"]) == ("", False)
    (tmp_path / ".git").touch()
    told = provenance.software()
    assert (told["git"], told["git_changed"]) == ("0123abcd", True)


def test_a_host_that_tells_nothing_has_a_system_and_cores_all_the_same(tmp_path):
    facts = host(tmp_path)
    assert facts["system"]
    assert facts["processor"]
    assert facts["cores"] >= 1
    assert (facts["model"], facts["memory_bytes"]) == ("", 0)
