"""What is given out is accepted by readers that know CLoPy's formats alone, and its dF/F is that of its images."""

from datetime import datetime

import h5py
import numpy as np
import pytest

from core.errors import SourceError
from core.values import SKIPPED, as_ns
from recording.clopy import ClopyExport, export_clopy
from recording.folder import write_session_json
from recording.reader import open_session
from tests.recording import clopy_oracle as oracle
from tests.recording.imaged_sessions import PAUSE, RESUME, START_NS, STARTED, record
from tests.support.movement_sessions import wander, write_session

HISTORY = 15
CLOSE = 1e-14
"""dF/F from running sums in whole numbers, and from means of floats: they differ by rounding."""


def floats(column):
    return np.array(column, np.float64)


def whole(column):
    return np.array(column, np.int64)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(
    ("formula", "evaluate"),
    [
        ("M1_L", lambda dff: dff["M1_L"]),
        ("BC_L-BC_R", lambda dff: dff["BC_L"] - dff["BC_R"]),
        ("(M1_L+M1_R)/2-BC_R", lambda dff: (dff["M1_L"] + dff["M1_R"]) / 2 - dff["BC_R"]),
    ],
    ids=["1roi", "2roi", "3roi"],
)
def test_dff_of_the_exported_images_is_that_of_the_exported_log(tmp_path, formula, evaluate, dtype):
    with record(tmp_path / "s", formula, dtype=dtype) as session:
        assert export_clopy(session, tmp_path / "out") == ClopyExport(300, 0)
    columns, rois, config = oracle.read_neurofeedback(tmp_path / "out")
    with h5py.File(tmp_path / "out" / "image_stream.hdf5", "r") as file:
        assert file["raw_images"].dtype == dtype
    again = {name: oracle.recompute_dff(tmp_path / "out", config, name) for name in rois}
    for name, values in again.items():
        assert np.ptp(values[HISTORY:]) > 0.03
        np.testing.assert_allclose(floats(columns[f"{name}dff"])[HISTORY:], values[HISTORY:], rtol=0, atol=CLOSE)
    logged = floats(columns[next(name for name in reversed(columns) if "dff" in name)])
    np.testing.assert_allclose(logged[HISTORY:], evaluate(again)[HISTORY:], rtol=0, atol=4 * CLOSE)


def test_every_cell_is_what_the_session_decided(tmp_path):
    with record(tmp_path / "s", "BC_L-BC_R") as session:
        export_clopy(session, tmp_path / "out")
        frames, events = session.frames, session.events
    columns, _, _ = oracle.read_neurofeedback(tmp_path / "out")
    assert {1, -1} <= set(frames.outcome.tolist()), "both outcomes are there"
    for name, ours in (("reward", frames.outcome), ("trial", frames.trial), ("audio", frames.audio)):
        assert (whole(columns[name]) == ours).all()
    assert (whole(columns["lick"]) == frames.licks).all()
    assert (floats(columns["rew_threshold"]) == frames.threshold).all()
    assert (whole(columns["freq"]) == np.trunc(frames.freq_hz)).all()
    assert set(columns["freq"]) > {"0", "1000", "1189"}
    for text, time_ns in zip(columns["time"], frames.time_ns, strict=True):
        wall_ns = STARTED + int(time_ns) - START_NS
        local = datetime.fromtimestamp(wall_ns // 10**9).replace(microsecond=wall_ns % 10**9 // 1000)
        assert datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f") == local
    with open_session(tmp_path / "out") as back:
        shared = ("trial_start", "reward", "success", "fail", "lick")
        ours = [(event.kind, event.trial, event.detail) for event in events if event.kind in shared]
        assert [(event.kind, event.trial, event.detail) for event in back.events] == ours
        starts = [event.time_ns for event in events if event.kind == "trial_start"]
        theirs = [event.time_ns for event in back.events if event.kind == "trial_start"]
        np.testing.assert_allclose(theirs, np.array(starts) - START_NS, atol=1000)
        assert (back.frames.water == frames.water).all()
        assert back.meta["counts"]["rewards"] == frames.water.sum()
        # Nor is it changed by going round once more.
        export_clopy(back, tmp_path / "again")
    for path in (tmp_path / "out").iterdir():
        if path.suffix != ".hdf5":
            assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_images_that_were_not_kept(tmp_path):
    lost = set(range(100, 112)) | {150} | set(range(290, 300))
    with record(tmp_path / "s", "BC_L-BC_R", lost=lost) as session:
        assert export_clopy(session, tmp_path / "out") == ClopyExport(300 - len(lost), len(lost))
        frames = session.frames
    columns, rois, config = oracle.read_neurofeedback(tmp_path / "out")
    kept = [k for k in range(300) if k not in lost]
    assert whole(columns["lick"]).sum() == frames.licks[: kept[-1] + 1].sum(), "no lick is lost"
    assert sorted(cell for cell in columns["reward"] if cell != "0") == sorted(
        str(o) for o in frames.outcome[: kept[-1] + 1] if o
    )
    for name in rois:
        again = oracle.recompute_dff(tmp_path / "out", config, name)
        # Whose history was kept as a whole, from one image to the next.
        unbroken = [row for row, k in enumerate(kept) if row >= HISTORY and kept[row - HISTORY] == k - HISTORY]
        assert len(unbroken) > 200
        np.testing.assert_allclose(floats(columns[f"{name}dff"])[unbroken], again[unbroken], rtol=0, atol=CLOSE)


@pytest.mark.parametrize("outcome", ["running", "recovered", "failed"])
def test_a_session_that_was_killed(tmp_path, outcome):
    record(tmp_path / "s", "M1_L", outcome=outcome).close()
    path = tmp_path / "s" / "frames.csv"
    path.write_bytes(path.read_bytes()[:-20])
    with h5py.File(tmp_path / "s" / "image_stream.hdf5", "a") as file:
        images = file["raw_images"][:295]
        del file["raw_images"]
        file["raw_images"] = images
    with open_session(tmp_path / "s") as session:
        assert export_clopy(session, tmp_path / "out") == ClopyExport(295, 4)
    columns, _, config = oracle.read_neurofeedback(tmp_path / "out")
    again = oracle.recompute_dff(tmp_path / "out", config, "M1_L")
    assert len(again) == 295
    np.testing.assert_allclose(floats(columns["M1_Ldff"])[HISTORY:], again[HISTORY:], rtol=0, atol=CLOSE)


def test_a_pause_is_a_rest(tmp_path):
    with record(tmp_path / "s", "M1_L", wishes={25: PAUSE, 60: RESUME}) as session:
        paused = session.frames.phase == "paused"
        assert session.frames.trial[24] == 1, "in the middle of a trial"
        export_clopy(session, tmp_path / "out")
    columns, _, _ = oracle.read_neurofeedback(tmp_path / "out")
    assert paused.sum() == 35
    assert set(whole(columns["trial"])[paused]) == {0}
    with open_session(tmp_path / "out") as back:
        starts = [event.trial for event in back.events if event.kind == "trial_start"]
    assert starts == sorted(set(starts)), "a trial begins once"


def test_the_second_part_of_a_day(tmp_path):
    day = tmp_path / "M1" / "20240102030405"
    record(day / "S2", "M1_L", n=60).close()
    meta = {"mouse": "M1", "kind": "clnf", "settings": {"resolution": [64, 48], "roi": "M1_L"}}
    write_session_json(day / "S2", meta)
    with open_session(day / "S2") as session:
        assert export_clopy(session, tmp_path / "out") == ClopyExport(60, 0)
    columns, _, _ = oracle.read_neurofeedback(tmp_path / "out")
    assert columns["time"][0] == "2024-01-02 03:04:05.000000"


def test_fewer_images_than_were_counted_is_damage(tmp_path):
    record(tmp_path / "s", "M1_L", n=30).close()
    meta = {"mouse": "M1", "kind": "clnf", "outcome": "complete", "counts": {"images": 31}, "settings": {"roi": "M1_L"}}
    write_session_json(tmp_path / "s", meta)
    with open_session(tmp_path / "s") as session, pytest.raises(SourceError, match="30 of its 31 images"):
        export_clopy(session, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_movement(tmp_path):
    tracks = wander(np.random.default_rng(3), 60.0)
    skipped = np.zeros(len(tracks.time_ns), bool)
    skipped[400:404] = True
    folder = write_session(tmp_path / "M3" / "20240102030405" / "S1", tracks, trials=3, skipped=skipped)
    with open_session(folder) as session:
        export_clopy(session, tmp_path / "out")
        judged = session.frames.reason != SKIPPED
        frames, ours = session.frames, session.frames.signal[judged]
    columns, parts, config = oracle.read_movement(tmp_path / "out", "M3_20240102030405")
    assert parts == ["snout"]
    assert len(columns["frame"]) == judged.sum() == len(frames) - 4
    px = float(config["ppmm"]) / float(config["framerate"])
    np.testing.assert_allclose(floats(columns["cj_speed"]), ours * px, rtol=1e-15)
    assert (whole(columns["reward"]) == frames.outcome[judged]).all()
    for name, at in (("snout_x", 2), ("snout_y", 3), ("snout_likelihood", 4)):
        np.testing.assert_array_equal(floats(columns[name]), frames.parts[judged, at])


@pytest.mark.parametrize("kind", ["1roi", "2roi", "clmf"])
def test_clopys_own_rows_in_our_words(shared_data, kind):
    """Of each trial of the samples: begun when its tone was, as long as it was, and paid for."""
    folder = shared_data / "clopy" / "sessions" / kind / "M1test" / "20231114221324" / "S1"
    folder = folder if kind != "clmf" else folder.parents[1] / "20231114221320"
    fps, most_s, reward_s = (30, 6, 0.1) if kind == "clmf" else (15, 6, 0.3)
    with open_session(folder) as session:
        frames, events, meta = session.frames, session.events, session.meta
    at = {(event.kind, event.trial): event.time_ns for event in events}
    trials = sorted(set(frames.trial.tolist()) - {0})
    for trial in trials:
        row = int(np.argmax(frames.time_ns == at["trial_start", trial]))
        assert (frames.trial[row], frames.trial[row + 1], frames.audio[row]) == (0, trial, 1)
        assert frames.freq_hz[row] >= 1189
        assert frames.freq_hz[row - 1] == 0
        end = int(np.flatnonzero(frames.trial == trial)[-1])
        kind_of = {1: "success", -1: "fail"}[int(frames.outcome[end])]
        assert at[kind_of, trial] == frames.time_ns[end]
        assert (("reward", trial) in at) == (kind_of == "success")
        if kind_of == "fail":
            # CLoPy counts frames, and in movement one more than the seconds have.
            assert at["fail", trial] - at["trial_start", trial] == pytest.approx(as_ns(most_s), abs=1.1e9 / fps)
    assert {event.detail for event in events if event.kind == "reward"} == {repr(reward_s)}
    assert [event.kind for event in events].count("trial_start") == len(trials)
    assert (meta["outcome"], meta["counts"]["trials"]) == ("complete", len(trials))
    assert (meta["mouse"], meta["kind"]) == ("M1test", "clmf" if kind == "clmf" else "clnf")
    assert meta["settings"]["resolution"] == ([120, 90] if kind == "clmf" else [128, 128])
    if kind != "clmf":
        assert meta["seeds"]["M1"] == {"ML": 1.8603, "AP": 0.64181}
        assert meta["settings"]["bregma"] == [67, 64]
        assert meta["settings"]["dff_history"] == 6


def test_rows_after_the_end_of_movement_are_no_trial(shared_data):
    with open_session(shared_data / "clopy" / "sessions" / "clmf" / "M1test" / "20231114221320") as session:
        frames, events = session.frames, session.events
    last = int(np.flatnonzero(frames.outcome)[-1])
    after = slice(last + 1, None)
    assert (frames.freq_hz[after] > 0).sum() > 30, "a trial too many sounds"
    assert set(frames.trial[after].tolist()) == {0}
    assert set(frames.phase[after]) == {"rest"}
    assert max(event.time_ns for event in events) == frames.time_ns[last]


@pytest.mark.parametrize(
    ("session_type", "drops"), [("normal_audio_normal_reward", 1), ("normal_audio_no_reward", 0), ("", 1)]
)
def test_a_session_without_reward_gives_no_water(tmp_path, session_type, drops):
    header = "frame\ttime\tAdff\tfreq\trew_threshold\treward\ttrial\taudio\tlick\n"
    rows = "1\t2024-01-02 03:04:05.000000\t0.5\t1189\t0.1\t1\t1\t0\t2\n"
    (tmp_path / "VideoTimestamp.txt").write_text(header + rows)
    (tmp_path / "config.ini").write_text(f"[configsection]\nconfig = a\n\n[a]\nsession_type = {session_type}\n")
    session = open_session(tmp_path)
    assert session.frames.water.tolist() == [drops]
    kinds = [event.kind for event in session.events]
    assert kinds == ["lick", "lick", "trial_start", *["reward"] * drops, "success"]
    assert session.events[2].detail == "silent"


@pytest.mark.parametrize("licks", ["1e15", "9e18"])
def test_licks_that_cannot_be_are_damage(tmp_path, licks):
    header = "frame\ttime\tAdff\tfreq\trew_threshold\treward\ttrial\taudio\tlick\n"
    (tmp_path / "VideoTimestamp.txt").write_text(f"{header}1\t2024-01-02 03:04:05\t0.5\t0\t0.1\t0\t0\t0\t{licks}\n")
    with pytest.raises(SourceError, match=r"is damaged: [0-9]+ licks cannot be; restore it"):
        open_session(tmp_path)


def test_an_adaptive_threshold_leaves_events(tmp_path):
    header = "frame\ttime\tAdff\tfreq\trew_threshold\treward\ttrial\taudio\tlick\n"
    rows = "".join(
        f"{n}\t2024-01-02 03:04:05.{n:06}\t0.5\t0\t{threshold}\t0\t0\t0\t0\n"
        for n, threshold in enumerate((0.1, 0.1, 0.102, 0.102, 0.1), start=1)
    )
    (tmp_path / "VideoTimestamp.txt").write_text(header + rows)
    (tmp_path / "config.ini").write_text("[configsection]\nconfig = a\n\n[a]\nadaptive_threshold = 1\n")
    events = open_session(tmp_path).events
    assert [(event.kind, event.time_ns, event.detail) for event in events] == [
        ("threshold", 2000, "0.102"),
        ("threshold", 4000, "0.1"),
    ]


@pytest.mark.parametrize("text", ["no ini", "[configsection]\nconfig = a\n"])
def test_a_config_that_cannot_be_read_is_told(tmp_path, text):
    header = "frame\ttime\tAdff\tfreq\trew_threshold\treward\ttrial\taudio\tlick\n"
    (tmp_path / "VideoTimestamp.txt").write_text(header)
    (tmp_path / "config.ini").write_text(text)
    session = open_session(tmp_path)
    assert "cannot be read" in session.meta["note"]
    assert session.meta["settings"] == {"roi": "A"}
