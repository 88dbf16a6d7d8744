"""Sessions with a second camera beside the first: their settings, and what the second one recorded."""

from recording.reader import open_session
from recording.schema import SECOND_FOLDER
from session.settings import load_settings

CONFIG = """\
[clnf_first]
roi = M1_L
roi.M1_L = 20,20,8,8
resolution = 64, 48
framerate = 15
dff_history = 1
session_type = behavior_recording
spont_sess_duration = {minutes!r}
final_rest_dur = 0.5
recorder_buffer_s = 60
second_camera = clmf_second
{first}
[clmf_second]
resolution = 128, 96
pose_backend = markers
markers = fl_l green
framerate = {rate}
{second}
[mouse:M1]
experiment = clnf_first
[seeds]
M1 = 0.6, 1.8
"""
REST_S = 4.0


def settings_for(tmp_path, first="", second="", rest_s=REST_S, rate=25, **overrides):
    path = tmp_path / "config.ini"
    path.write_text(CONFIG.format(minutes=rest_s / 60, first=first, second=second, rate=rate))
    return load_settings(path, "M1", overrides={"--data-root": str(tmp_path / "data"), **overrides})


def frames_of(result):
    with open_session(result.session / SECOND_FOLDER) as session:
        return session.frames
