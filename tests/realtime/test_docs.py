"""What README.md, CONTRIBUTING.md and docs/ say is run: python and console blocks, links, images.

A page is run from top to bottom in an empty folder of its own. Blocks marked ``python`` share one namespace. In a block
marked ``console`` each line that begins with ``$ `` is a command (a backslash at its end continues it); it must end
with 0, or with the code of its comment ``# exit code N``; its output is not compared. ``RIGLOOP`` is the repository.
"""

import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest

from tests.support.gige import FakeGigE, need_gige

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = {"python", "console", "text", "ini"}
COMMAND_S = 300

FENCE = re.compile(r"^```(\w*)[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
EXIT_CODE = re.compile(r"#\s*exit code (\d+)\s*$")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
MACHINE_PATH = re.compile(r"(?<![\w./~$])/(?:home|root|work|tmp|usr|Users|mnt|media|opt|var)/\w")
PACKAGE_INDEX = re.compile(r"pypi\.|pythonhosted|piwheels|/simple/|index-url", re.IGNORECASE)


def name(path):
    return path.relative_to(ROOT).as_posix()


def blocks(text):
    """Yield (language, line of the first line of code, code) of each fenced block."""
    for match in FENCE.finditer(text):
        yield match[1], text.count("\n", 0, match.start()) + 2, match[2]


def commands(code, line):
    """Yield (command, its line, the exit code it must have)."""
    lines = enumerate(code.splitlines(), line)
    for at, text in lines:
        if not text.startswith("$ "):
            continue
        command = text[2:]
        while command.endswith("\\"):
            command = command[:-1] + next(lines)[1].strip()
        expected = EXIT_CODE.search(command)
        yield command, at, int(expected[1]) if expected else 0


def runnable(path):
    return any(language in ("python", "console") for language, _, _ in blocks(path.read_text(encoding="utf-8")))


@pytest.fixture
def page_folder(tmp_path, monkeypatch):
    """An empty folder, entered; gone afterwards, since recordings are large."""
    folder = tmp_path / "page"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RIGLOOP", str(ROOT))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    yield folder
    shutil.rmtree(folder)


def run_command(page, command, line, expected, folder):
    done = subprocess.run(
        ("bash", "-c", command), cwd=folder, capture_output=True, text=True, timeout=COMMAND_S, stdin=subprocess.DEVNULL
    )
    assert done.returncode == expected, (
        f"{page}:{line}: $ {command}\nended with {done.returncode}, not {expected}\n{done.stdout}{done.stderr}"
    )


@pytest.mark.parametrize("path", [path for path in PAGES if runnable(path)], ids=name)
def test_a_page_does_what_it_says(path, page_folder):
    before = (ROOT / "config.ini").read_bytes(), (ROOT / "data").exists()
    namespace = {"__name__": "__page__"}
    for language, line, code in blocks(path.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile("\n" * (line - 1) + code, name(path), "exec"), namespace)
        elif language == "console":
            for command, at, expected in commands(code, line):
                run_command(name(path), command, at, expected, page_folder)
    assert ((ROOT / "config.ini").read_bytes(), (ROOT / "data").exists()) == before


def test_a_camera_without_a_rig_does_what_its_page_says(page_folder):
    """The command of the page, to the camera of this test: another one may answer, too."""
    need_gige()
    page = ROOT / "docs" / "how-to" / "connect-a-camera.md"
    [command] = re.findall(r"^rigloop preview .*--camera genicam.*$", page.read_text(encoding="utf-8"), re.MULTILINE)
    with FakeGigE() as camera:
        run_command(name(page), f"{command} --set camera_id={camera.serial} --output seen.png", 0, 0, page_folder)
    assert (page_folder / "seen.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_is_sound(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n```") % 2 == 0, "a block is not closed"
    assert {language for language, _, _ in blocks(text)} <= LANGUAGES
    assert not MACHINE_PATH.findall(text), "an absolute path holds on one machine only"
    assert not PACKAGE_INDEX.findall(text), "pip takes packages from where a machine is set up to take them"
    assert [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")] == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path):
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = urllib.parse.unquote(target).partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{name(path)}: {target}"
        assert there.is_relative_to(ROOT), f"{name(path)}: {target} leads out of the repository"
        if heading:
            assert heading in headings(there), f"{name(path)}: {target}"


def headings(path):
    """Return the anchors of a page's headings."""
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_can_be_reached():
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(index.read_text("utf-8"))}
    pages = {path for path in PAGES if path.is_relative_to(ROOT / "docs") and path != index}
    assert sorted(name(path) for path in pages - linked) == []


def test_every_fault_of_clopy_has_a_row_that_names_a_test():
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    page = (ROOT / "docs" / "reference" / "faults-of-clopy.md").read_text(encoding="utf-8")
    rows = {
        int(row[1]): set(re.findall(r"`(test_\w+)`", row[2])) for row in re.finditer(r"^\| (\d+) (.*)$", page, re.M)
    }
    assert sorted(rows) == list(range(1, 15))
    for fault, tests in rows.items():
        assert any(test.startswith(f"test_clopy_fault_{fault:02}_") for test in tests)
        assert {test for test in tests if f"def {test}(" not in source} == set()
