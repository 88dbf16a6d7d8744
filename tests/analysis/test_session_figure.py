"""The figure of a session shows its three panels whatever the session came to."""

import numpy as np
import pytest

from analysis.session_figure import draw_session, session_figure
from recording.reader import open_session
from tests.support.sessions import StopAfter, run, settings_for


def heights(figure):
    """Lay a figure out; return the heights of its panels, as shares of the picture."""
    figure.draw_without_rendering()
    return [axis.get_position().height for axis in figure.axes]


@pytest.mark.parametrize(
    ("stop_after", "changes"),
    [
        (None, {}),
        (10_000, {"session_type": "no_audio_no_reward"}),
        (10_000, {"session_type": "behavior_recording", "spont_sess_duration": "0.1"}),
        (12, {}),
        (1, {}),
    ],
    ids=["whole", "without tone", "resting", "stopped in the first rest", "stopped on the first frame"],
)
def test_every_panel_has_its_share(tmp_path, stop_after, changes):
    stop = None if stop_after is None else StopAfter(stop_after)
    result = run(settings_for(tmp_path, **changes), stop=stop)
    with open_session(result.session) as session:
        figure = session_figure(session)
        frames = len(session.frames)
    assert frames == result.frames
    signal, tone, trials = heights(figure)
    assert signal / trials == pytest.approx(3, rel=0.01)
    assert tone / trials == pytest.approx(1.4, rel=0.01)
    assert signal > 0.35
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert len(lines["threshold"].get_xdata()) == frames
    assert len(figure.axes[2].patches) == len(np.unique(session.frames.trial[session.frames.trial > 0]))


def test_no_tone_is_said(tmp_path):
    result = run(settings_for(tmp_path), stop=StopAfter(12))
    with open_session(result.session) as session:
        assert [text.get_text() for text in session_figure(session).axes[1].texts] == ["no tone"]


def test_a_session_without_frames_has_a_figure(tmp_path):
    result = run(settings_for(tmp_path), stop=StopAfter(12))
    log = result.session / "frames.csv"
    log.write_text(log.read_text().splitlines()[0] + "\n")
    with open_session(result.session) as session:
        assert heights(session_figure(session))[0] > 0.35
    assert draw_session(result.session).read_bytes().startswith(b"\x89PNG")
