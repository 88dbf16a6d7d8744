"""A guardian without a process, on a virtual clock: its valve opens and closes when the clock gets there."""

from core.errors import OutputError
from core.outputs import Openings
from core.ports import Interrupted
from core.values import Level, Pulse, Report, as_ns
from hardware.settings import OutputSettings


class VirtualGuard:
    """Has the verbs of ``hardware.guard.Guard``; remembers what it was asked.

    Attributes
    ----------
    dead : set of str
        Names of lines of which no edge is told.
    """

    def __init__(self, clock, settings=None, stuck=False, lost_after_ns=None):
        settings = settings or OutputSettings()
        self._clock = clock
        self._stuck = stuck
        self._lost_ns = lost_after_ns
        self._openings = Openings(settings.max_pulse_s, settings.min_pulse_gap_s, settings.max_session_water_s)
        self._told = 0
        self.alive_ns = []
        self.started = self.closed = False
        self.levels = []
        self.dead = set()
        self._edges_of_lines = []
        self.valve = self.lines = self

    @property
    def pulses(self):
        return self._openings.pulses

    def start(self, go_on=lambda: True):
        if not go_on():
            raise Interrupted
        self.started = True

    def pulse(self, asked, time_ns):
        if isinstance(asked, Pulse):
            now, name = self._clock.now_ns(), asked.line.value
            self.levels.append((now, asked.line, asked.duration_s))
            if name not in self.dead:
                ends = ((now, 1), (now + as_ns(asked.duration_s), 0))
                self._edges_of_lines += [Report(at, "edge", f"{name} {high}") for at, high in ends]
            return
        assert self.started
        assert not self.closed
        self._openings.add(asked, self._clock.now_ns())

    def set(self, level: Level, time_ns):
        self.levels.append((self._clock.now_ns(), level.line, level.high))

    def alive(self):
        self.alive_ns.append(self._clock.now_ns())

    def reports(self):
        now = self._clock.now_ns()
        if self._lost_ns is not None and now > self._lost_ns:
            raise OutputError("guardian: is lost; start again")
        edges = [Report(at, "edge", f"valve {n}") for up, down in self.pulses for at, n in ((up, 1), (down, 0))]
        due = [] if self._stuck else [edge for edge in edges[self._told :] if edge.time_ns <= now]
        self._told += len(due)
        lines = [edge for edge in self._edges_of_lines if edge.time_ns <= now]
        self._edges_of_lines = [edge for edge in self._edges_of_lines if edge.time_ns > now]
        return (*lines, *due)

    def open_s(self):
        """What came out by now, s; closing shuts the valve."""
        end = self._closed_ns if self.closed else self._clock.now_ns()
        return sum(max(0, min(down, end) - up) for up, down in self.pulses) / 1e9

    def close(self):
        if not self.closed:
            self._closed_ns = self._clock.now_ns()
        self.closed = True


def after(clock, seconds):
    """Return a stop flag that is raised so much later."""
    end = clock.now_ns() + as_ns(seconds)
    return lambda: clock.now_ns() >= end
