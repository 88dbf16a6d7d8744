"""What parts and rigs are called in NWB, and sessions whose files are damaged: a good file, or one line and none."""

import os
import shutil

import h5py
import numpy as np
import pytest

from core.errors import InputError, RecordingError, RigError, SourceError
from recording import nwb
from recording.byte_order_mark import decoded
from recording.clopy import export_clopy
from recording.folder import read_session_json, write_session_json
from recording.nwb import NwbImages, SubjectFacts, export_nwb
from recording.nwb_pack import object_name
from recording.nwb_text import storable
from recording.reader import open_session
from recording.subject import SubjectSettings
from tests.recording.clopy_sessions import META
from tests.recording.samples import frame_row
from tests.recording.test_csvrows import write_session

STAMP = "20231114221320"
ROIS = {"roi.A": "1,2,4,3", "roi.B": "circle 6,6,2"}


@pytest.fixture
def folder(tmp_path):
    """A session of 12 frames and as many images, the second part of its day."""
    home = tmp_path / "in" / "M1" / STAMP / "S2"
    home.mkdir(parents=True)
    write_session(home, [frame_row(n, image=n - 1, trial=0, phase="rest", outcome=0, water=0) for n in range(1, 13)])
    settings = {**META["settings"], **ROIS, "rig": "rig1"}
    write_session_json(home, {**META, "kind": "clnf", "outcome": "complete", "settings": settings})
    (home / "session.ini").write_text("[rig]\n")
    with h5py.File(home / "image_stream.hdf5", "w") as file:
        file["raw_images"] = np.arange(12 * 8 * 9 * 3, dtype="u2").reshape(12, 8, 9, 3)
    return home


def export(folder, path, **options):
    with open_session(folder) as session:
        return export_nwb(session, path, SubjectFacts(SubjectSettings()), allow_incomplete=True, **options)


def change(folder, **settings):
    meta = read_session_json(folder)
    write_session_json(folder, {**meta, "settings": {**meta["settings"], **settings}})


def names_of(done):
    with h5py.File(done.path) as file:
        return done.path.name, file["general/session_id"][()].decode(), file["identifier"][()].decode()


def test_the_parts_of_a_session_and_its_second_camera_have_names_of_their_own(folder, tmp_path):
    first, camera = folder.with_name("S1"), folder / "camera2"
    shutil.copytree(folder, first)
    shutil.copytree(first, camera)
    for each in (first, folder, camera):
        keep_lines("frames.csv", 1)(each)
    made = [names_of(export(each, tmp_path / "out", images=NwbImages.none)) for each in (first, folder, camera)]
    started = META["started_wall_ns"]
    assert made[0] == (f"sub-M1_ses-{STAMP}_ophys.nwb", STAMP, f"M1 rig1 {started}")
    assert made[1] == (f"sub-M1_ses-{STAMP}-S2_ophys.nwb", f"{STAMP}-S2", f"{made[0][2]} S2")
    assert made[2][1:] == (f"{STAMP}-S2-camera2", f"{made[0][2]} S2 camera2")


def test_rigs_tell_the_sessions_of_one_mouse_apart(folder, tmp_path):
    one = export(folder, tmp_path / "out", images=NwbImages.none)
    change(folder, rig="rig2")
    two = export(folder, tmp_path / "y.nwb", images=NwbImages.none)
    assert names_of(one)[2] != names_of(two)[2]
    with pytest.raises(InputError, match="exists, and is not overwritten"):
        export(folder, tmp_path / "out", images=NwbImages.none)


def test_clopys_sessions_have_the_same_names(folder, tmp_path):
    out = tmp_path / "clopy" / "M1" / STAMP / "S2"
    with open_session(folder) as session:
        export_clopy(session, out)
    done = export(out, tmp_path / "out", images=NwbImages.none)
    assert names_of(done)[:2] == (f"sub-M1_ses-{STAMP}-S2_ophys.nwb", f"{STAMP}-S2")
    # And where it lies in the folder that is named after the time.
    shutil.copytree(out, tmp_path / "flat" / "M1" / "20231114221321")
    flat = export(tmp_path / "flat" / "M1" / "20231114221321", tmp_path / "out", images=NwbImages.none)
    assert names_of(flat)[1] == "20231114221321"


@pytest.mark.parametrize(("column", "value"), [("frame", "9" * 30), ("trial", "inf"), ("audio", "1e300")])
def test_numbers_of_clopys_that_cannot_be(folder, tmp_path, column, value):
    out = tmp_path / "clopy" / "M1" / STAMP / "S1"
    with open_session(folder) as session:
        export_clopy(session, out)
    lines = [line.split("\t") for line in (out / "VideoTimestamp.txt").read_text().splitlines()]
    lines[3][lines[0].index(column)] = value
    (out / "VideoTimestamp.txt").write_text("".join("\t".join(line) + "\n" for line in lines))
    with pytest.raises(SourceError, match="is damaged: a number has more than 64 bits"):
        open_session(out)


def test_what_a_killed_export_left_is_removed_by_the_next(folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    host = os.uname().nodename
    dead, alive = (out / f".x.nwb.{host}-{pid}.tmp.nwb" for pid in (2**22 + 1, os.getppid()))
    other = out / f".y.nwb.{host}-4194305.tmp.nwb"
    for each in (dead, alive, other):
        each.write_bytes(b"half")
    export(folder, out / "x.nwb")
    assert sorted(out.iterdir()) == sorted([alive, other, out / "x.nwb"])


def test_the_folder_may_be_named_from_within(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    write_session_json(folder, {key: value for key, value in read_session_json(folder).items() if key != "mouse"})
    name, session_id, identifier = names_of(export(type(folder)(), tmp_path / "out", images=NwbImages.none))
    assert (name, session_id) == (f"sub-M1_ses-{STAMP}-S2_ophys.nwb", f"{STAMP}-S2")
    assert identifier.startswith("M1 ")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"[rig]\nname = \xc3\xbc\n", "[rig]\nname = ü\n"),
        ("[rig]\nname = ü\n".encode("utf-16"), "[rig]\nname = ü\n"),
        (b"\xfe\xff" + "[rig]\n".encode("utf-16-be"), "[rig]\n"),
        ("[rig]\n".encode("utf-32"), "[rig]\n"),
        ("[rig]\n".encode("utf-8-sig"), "[rig]\n"),
        (b"[rig]\0\xff\n", "[rig]\ufffd\ufffd\n"),
    ],
)
def test_text_of_any_encoding(content, text):
    assert storable(decoded(content)) == text


def test_what_no_file_can_hold_is_replaced_and_told_once(folder, tmp_path):
    (folder / "session.ini").write_bytes(b"[rig]\0\n\xff")
    change(folder, **{"vid_source": "\0", "genotype": "\0"})
    write_session_json(folder, {**read_session_json(folder), "experiment": "a\0b", "devices": {"a/b": {"c": "\0"}}})
    with (folder / "events.csv").open("a") as file:
        file.write("5000000001,od\0d,0,\0\n")
    done = export(folder, tmp_path / "x.nwb")
    assert sorted(done.odd_texts) == ["events.csv", "session.ini", "session.json"]
    with h5py.File(done.path) as file:
        assert file["general/notes"][()].decode() == "[rig]\ufffd\n\ufffd"
        assert [each.decode() for each in file["events/session_events/kind"][:]] == ["od\ufffdd"]
        assert file["general/devices/a-b"].attrs["description"] == "c: \ufffd"


def test_names_lose_the_separators_of_paths():
    assert object_name("paw/left:1") == "paw-left-1"


def keep_lines(name, number):
    def damage(folder):
        lines = (folder / name).read_bytes().split(b"\n")
        (folder / name).write_bytes(b"\n".join(lines[: number + 1]) + b"\n")

    return damage


def cell(name, number, text):
    def damage(folder):
        lines = [line.split(",") for line in (folder / "frames.csv").read_text().splitlines()]
        lines[number][lines[0].index(name)] = text
        (folder / "frames.csv").write_text("".join(f"{','.join(line)}\n" for line in lines))

    return damage


def in_json(**changed):
    return lambda folder: write_session_json(folder, {**read_session_json(folder), **changed})


def in_settings(**changed):
    return lambda folder: change(folder, **changed)


def append(name, data):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + data)


def no_signal(folder):
    for number in range(1, 13):
        for name in ("signal", "dff_A", "dff_B", "threshold"):
            cell(name, number, "nan")(folder)


def images(*shape, kind="u1"):
    def damage(folder):
        with h5py.File(folder / "image_stream.hdf5", "w") as file:
            file["raw_images"] = np.zeros(shape, kind)

    return damage


def squeezed(folder):
    """Compressed images, of which a chunk is no more what it was."""
    with h5py.File(folder / "image_stream.hdf5", "w") as file:
        stored = file.create_dataset("raw_images", (12, 8, 9, 3), "u2", chunks=(1, 8, 9, 3), compression="gzip")
        stored[:] = np.arange(12 * 8 * 9 * 3, dtype="u2").reshape(stored.shape)
        at = stored.id.get_chunk_info(6).byte_offset
    data = bytearray((folder / "image_stream.hdf5").read_bytes())
    data[at : at + 20] = bytes(20)
    (folder / "image_stream.hdf5").write_bytes(data)


def odd(folder):
    in_settings(ppmm="x", bregma=["x", 1], vid_source="pi", shutter_speed="x")(folder)
    append("events.csv", b"5000000001,?,9,\n5000000002,reward,0,much\n")(folder)


def little(folder):
    no_signal(folder)
    (folder / "image_stream.hdf5").unlink()
    in_json(settings=None)(folder)


DAMAGE = {
    "odd values and events": (odd, None),
    "no settings, no signal, no images": (little, None),
    "settings are a list": (in_json(settings=[1]), r'"settings" is \[1\], not an object'),
    "no start": (in_json(started_wall_ns=None), "does not say when"),
    "a start of no calendar": (in_json(started_wall_ns=10**40), "not a whole number of ns"),
    "no session.json": (lambda folder: (folder / "session.json").unlink(), "does not say when"),
    "an ROI of no shape": (in_settings(**{"roi.A": "polygon 1,1"}), r"session\.json: roi\.A: .*polygon"),
    "an ROI outside": (in_settings(**{"roi.A": "-3,0,9,9"}), r"roi\.A: it reaches to column -3"),
    "an event of another age": (
        append("events.csv", b"-9000000000000000000,lick,0,\n"),
        "log is damaged",
    ),
    "an event past 64 bits": (append("events.csv", b"9999999999999999999,lick,0,\n"), "is too large"),
    "no rows": (keep_lines("frames.csv", 0), "no frame"),
    "one row": (keep_lines("frames.csv", 1), None),
    "a number past 64 bits": (cell("time_ns", 3, "9" * 20), "column time_ns: 99999999999999999999 is too large"),
    "a time of another age": (cell("time_ns", 3, "9" * 18), "is not after 9{18}, that of the line before"),
    "a last time of another age": (cell("time_ns", 12, "9" * 18), "log is damaged"),
    "half of the images": (
        lambda folder: (folder / "image_stream.hdf5").write_bytes((folder / "image_stream.hdf5").read_bytes()[:3000]),
        "cannot read .*image_stream.hdf5",
    ),
    "a damaged image": (squeezed, "cannot read .*image_stream.hdf5"),
    "images of one colour": (images(12, 8, 9, 1), r"are no images \(frames, height, width, 3\)"),
    "images of floats": (images(12, 8, 9, 3, kind="f4"), "are no images"),
    "images of no size": (images(12, 0, 9, 3), "are no images"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_one_line_or_a_good_file(folder, tmp_path, name):
    damage, says = DAMAGE[name]
    damage(folder)
    out = tmp_path / "out" / "x.nwb"
    if says is None:
        done = export(folder, out)
        assert [each.name for each in out.parent.iterdir()] == ["x.nwb"]
        with h5py.File(done.path) as file:
            assert len(file["acquisition/frames/id"]) == done.frames
        return
    with pytest.raises(RigError, match=says) as caught:
        export(folder, out)
    assert len(str(caught.value).splitlines()) == 1
    assert not out.parent.exists()


@pytest.mark.parametrize("value", [{"sex": 5}, {"excitation_nm": "green"}, {"excitation_nm": -1}, {"species": "mouse"}])
def test_values_that_no_key_has(folder, tmp_path, value):
    facts = SubjectFacts(SubjectSettings(**value))
    with open_session(folder) as session, pytest.raises(InputError, match=rf"M1: {next(iter(value))} .*session\.json"):
        export_nwb(session, tmp_path / "x.nwb", facts, allow_incomplete=True)


@pytest.mark.parametrize(("place", "told"), [("put_images", "the file"), ("trials_table", "trials, frames and events")])
def test_what_pynwb_raises_is_one_line_with_its_traceback_kept(folder, tmp_path, monkeypatch, place, told):
    def fail(*_):
        raise KeyError("cannot do\nthat")

    monkeypatch.setattr(nwb, place, fail)
    with pytest.raises(RecordingError, match=f"{told} cannot be written as NWB .KeyError") as caught:
        export(folder, tmp_path / "out" / "x.nwb")
    assert len(str(caught.value).splitlines()) == 1
    assert "in fail" in caught.value.details
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_too_long(folder, tmp_path):
    with pytest.raises(RecordingError, match="give a shorter name"):
        export(folder, tmp_path / f"{'x' * 300}.nwb")
