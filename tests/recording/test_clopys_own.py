"""What CLoPy itself wrote: read, and given out again as it was; damaged logs are told."""

import codecs
import configparser
import json
import re
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from core.errors import SourceError
from recording.clopy import export_clopy, write_clopy_files
from recording.index import read_index
from recording.reader import open_session
from tests.recording.clopy_sessions import make_session

NAME_1ROI = "raspicambrain_reward_punish_1roi"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a log of CLoPy"),
        ("frame\ttime\tcj_speed\tfreq\treward\ttrial\taudio\tlick\n", "is not a log of CLoPy"),
        ("frame\ttime\tAdff\tfreq\trew_threshold\treward\ttrial\taudio\tlick\n1\t2\n", "line 2 has 2 columns"),
        (
            "frame\ttime\tAdff\tfreq\trew_threshold\treward\ttrial\taudio\tlick\n1\tnoon\t0\t0\t0\t0\t0\t0\t0\n",
            "is damaged",
        ),
    ],
)
def test_damaged_logs(tmp_path, text, message):
    (tmp_path / "VideoTimestamp.txt").write_text(text)
    with pytest.raises(SourceError, match=message):
        open_session(tmp_path)


@pytest.mark.parametrize("kind", ["1roi", "2roi"])
def test_clopys_own_sessions(tmp_path, shared_data, kind):
    """What CLoPy's scripts wrote is read, and given out again byte for byte."""
    source = shared_data / "clopy" / "sessions" / kind / "M1test" / "20231114221324" / "S1"
    session = open_session(source)
    lines = (source / "VideoTimestamp.txt").read_text().splitlines()
    assert len(session.frames) == len(lines) - 1
    assert session.frames.frame.tolist() == list(range(1, len(lines)))
    assert session.part_names == (("M1_L",) if kind == "1roi" else ("BC_L", "BC_R"))
    assert (
        session.frames.outcome[session.frames.outcome != 0].tolist()
        == ([1, -1, -1, 1], [1, -1, -1, -1])[kind == "2roi"]
    )
    first = datetime.fromisoformat(lines[1].split("\t")[1])
    assert session.meta["started_wall_ns"] // 1000 == round(first.timestamp() * 1e6)
    write_clopy_files(session, tmp_path)
    for name in ("VideoTimestamp.txt", "config.ini"):
        assert (tmp_path / name).read_bytes() == (source / name).read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("kind", ["1roi", "clmf"])
def test_a_config_saved_in_another_encoding_says_the_same(tmp_path, shared_data, kind, encoding):
    """Its settings are read by its byte order mark, also by the index; its bytes are given out as they are."""
    sub = Path("clmf/M1test/20231114221320") if kind == "clmf" else Path("1roi/M1test/20231114221324/S1")
    folder = tmp_path / "root" / Path(*sub.parts[1:])
    shutil.copytree(shared_data / "clopy" / "sessions" / sub, folder)
    path = next(folder.glob("*config.ini"))
    with open_session(folder) as session:
        wanted = session.meta["experiment"], session.meta["settings"], session.meta.get("seeds")
    rows = list(read_index(tmp_path / "root").rows)
    content = path.read_text().replace("\n", "\r\n").encode(encoding)
    path.write_bytes(codecs.BOM_UTF16_BE + content if encoding == "utf-16-be" else content)
    with open_session(folder) as session:
        assert (session.meta["experiment"], session.meta["settings"], session.meta.get("seeds")) == wanted
        export_clopy(session, tmp_path / "out")
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert list(read_index(tmp_path / "root").rows) == rows


def config_of_clopy(clopy, kind):
    """A session's config.ini as CLoPy wrote it for two ROIs, as it would for one."""
    if kind == "2roi":
        return (clopy / "sessions" / "2roi" / "M1test" / "20231114221324" / "S1" / "config.ini").read_text()
    sections = (clopy / "clopy_config_sections.ini").read_text().split("\n\n")
    return "\n\n".join(part for part in sections if part.startswith(("[configsection]", f"[{NAME_1ROI}]")))


@pytest.mark.parametrize("kind", ["1roi", "2roi"])
def test_config_has_clopys_values(tmp_path, shared_data, kind):
    """From the values in CLoPy's own config comes the same text."""
    text = config_of_clopy(shared_data / "clopy", kind)
    parser = configparser.ConfigParser()
    parser.read_string(text)
    section = dict(parser[parser["configsection"]["config"]])
    lists = {key: [float(x) for x in section.pop(key).split(",")] for key in ("resolution", "bregma", "roi_size")}
    meta = {"settings": {**section, **lists}, "seeds": json.loads(section["seeds_mm"])}
    names = ("M1_L",) if kind == "1roi" else ("BC_L", "BC_R")
    with make_session(tmp_path, [], names, meta) as session:
        write_clopy_files(session, tmp_path)
    squeeze = re.compile(r"(?<=[:,]) *")
    theirs = [squeeze.sub(" ", line) for line in text.splitlines()]
    ours = [squeeze.sub(" ", line) for line in (tmp_path / "config.ini").read_text().splitlines()]
    # Positions of ROIs are written by CLoPy for itself, and never read.
    expected = [line for line in theirs if not re.match(r"\w+_[lr] = \d", line)]
    assert [line for line in ours if line] == [line for line in expected if line]
