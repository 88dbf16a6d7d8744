"""A desk on a config.ini of its own, and the page that has it."""

from __future__ import annotations

import itertools
import json

from starlette.testclient import TestClient

from core.clock import VirtualClock
from dashboard.app import make_app
from dashboard.desk import Desk
from dashboard.desk_log import CHANGES_JSONL
from dashboard.desk_routes import desk_routes
from dashboard.hub import Hub
from dashboard.server import Address, access_for

PORT = 8017
HERE = f"127.0.0.1:{PORT}"
CONFIG = """\
; top
[clnf_1roi]                 ; one region
roi              = M1_L     ; the one
rig              = rigA
roi.shared       = 9,9,8,8
iso              = 400
fail_rest_dur    = 7        ; s

[clnf_2roi]
roi_operation    = BC_L-M1_L

[clmf_speed]                # a paw
pose_backend     = markers
markers          = fl_l green

; mice
[mouse:A]                   ; the first
experiment       = clnf_1roi
reward_threshold = 0.1      ; dF/F, tried
roi.spot         = 20,30,8,8 ; near the edge

[mouse:Paw]
experiment       = clmf_speed

[seeds]
M1 = 0.6, 1.8
BC = -1.7, 3.4
"""


class Room:
    """A config.ini, its desk and its data root."""

    def __init__(self, folder, text=CONFIG):
        self.path = folder / "config.ini"
        self.path.write_text(text, encoding="utf-8")
        self.root = folder / "sessions"
        self.desk = Desk(self.path, str(self.root), VirtualClock().wall_ns)

    @property
    def text(self):
        return self.path.read_bytes().decode()

    def log(self):
        path = self.root / CHANGES_JSONL
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def client(self, tokens=None):
        access = access_for(Address("127.0.0.1", PORT), PORT, tokens or {})
        times = itertools.count(1, 10**9)
        app = make_app(Hub(), access, lambda: next(times), {"version": "1"}, desk_routes(self.desk))
        return TestClient(app, base_url=f"http://{HERE}", headers={"origin": f"http://{HERE}"})
