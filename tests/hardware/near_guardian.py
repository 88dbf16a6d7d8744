"""The guardian's outputs within this process, on a virtual clock: what tests of its logic and of the ports run on."""

from core.clock import VirtualClock
from core.errors import OutputError
from hardware.board import OutputLine
from hardware.bounds import openings
from hardware.guard_devices import GuardedLines, GuardedValve
from hardware.guardian_edges import NEVER
from hardware.guardian_outputs import Outputs
from hardware.guardian_spec import GuardSpec
from hardware.guardian_wire import Kind, Message, pack, unpack
from hardware.memory_board import MemoryBoard
from hardware.settings import BoardKind, OutputSettings, PinSettings

ALL_PINS = PinSettings(
    output_board=BoardKind.memory, pin_valve=1, pin_success_led=2, pin_fail_led=3, pin_light=4, pin_behaviour_ttl=5,
    pin_brain_ttl=6,
)  # fmt: skip


class NearGuardian:
    """A guardian without a process, which hears a command when the caller's time has come.

    Attributes
    ----------
    said : list of Message
        What the controller would be told.
    rows : list of (int, int)
        What the ledger would be told: number of the drop, length, ns.
    """

    def __init__(self, bounds=None, pins=ALL_PINS, seed=0, board=None):
        spec = GuardSpec(pins, bounds or OutputSettings(), seed=seed)
        self.clock = VirtualClock(0)
        self.said = []
        self.rows = []
        self.ledger_problem = ""
        self.unwritten = 0
        self.board = board or MemoryBoard(pins, now_ns=self.clock.now_ns)
        self.outputs = Outputs(
            self.board,
            spec,
            openings(spec.outputs),
            self.clock.now_ns,
            self.said.append,
            self._write_down,
            lambda: self.unwritten,
        )
        self.caller_ns = None

    def run_to(self, time_ns):
        """Let time go by, doing what is due on the way."""
        while self.outputs.due_ns <= time_ns:
            self.clock.sleep_until_ns(self.outputs.due_ns)
            self.outputs.act()
        self.clock.sleep_until_ns(time_ns)

    def run_out(self):
        """Let everything that was asked for come to its end."""
        while self.outputs.due_ns < NEVER:
            self.run_to(self.outputs.due_ns)

    def ask(self, message):
        if self.caller_ns is not None:
            self.run_to(self.caller_ns)
        self.outputs.take(unpack(pack(message)))

    def finish(self, kind):
        self.outputs.take(unpack(pack(Message(kind))))
        assert self.said[-1].kind is Kind.DONE

    def pulses(self, line=OutputLine.VALVE):
        """Return rise and fall of a line's pulses, ns."""
        times = [edge.time_ns for edge in self.board.edges() if edge.line is line]
        return list(zip(times[::2], times[1::2], strict=True))

    def kinds(self, *kinds):
        return [message for message in self.said if message.kind in kinds]

    def _write_down(self, number, length_ns):
        if self.ledger_problem:
            raise OutputError(self.ledger_problem)
        self.rows.append((number, length_ns))


class NearValve(GuardedValve):
    """A guarded valve whose calls come when they say."""

    def __init__(self, bounds):
        self.guardian = NearGuardian(bounds)
        super().__init__(self.guardian, openings(bounds))

    def pulse(self, duration_s, time_ns):
        self.guardian.caller_ns = time_ns
        super().pulse(duration_s, time_ns)

    def openings(self):
        """Every opening so far and to come."""
        self.guardian.run_out()
        return self.guardian.pulses()

    def is_shut(self):
        return self.closed and not self.guardian.board.is_high(OutputLine.VALVE)


class NearLines(GuardedLines):
    """Guarded lines whose calls come when they say."""

    def __init__(self):
        self.guardian = NearGuardian()
        super().__init__(self.guardian)

    def set(self, level, time_ns):
        self.guardian.caller_ns = time_ns
        super().set(level, time_ns)

    def pulse(self, pulse, time_ns):
        self.guardian.caller_ns = time_ns
        super().pulse(pulse, time_ns)

    def is_high(self, line, time_ns):
        self.guardian.run_to(time_ns)
        return self.guardian.board.is_high(OutputLine(line.value))
