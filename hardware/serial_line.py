"""A serial port as bytes in and out, raw, for one process alone, and never waiting longer than it is told."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import select
import termios
import time

from core.errors import OutputError
from core.values import as_ns

WRITE_S = 0.005
"""Longest wait for room to write; a line of ours is 20 bytes, the kernel's buffer 4096."""


class SerialLine:
    """An open serial port. Not for several threads.

    Opening it raises DTR, which resets an Arduino; closing it drops DTR.

    Parameters
    ----------
    path : str
        Such as ``/dev/ttyACM0``.
    baud : int
        Bits per second, one that termios names (``B500000``).

    Raises
    ------
    OutputError
        The port is missing, forbidden, taken, or no serial port; with the cure.
    """

    def __init__(self, path: str, baud: int) -> None:
        self.path = path
        self._fd = _open(path)
        try:
            _take(self._fd, path)
            _set_raw(self._fd, path, baud)
        except OutputError:
            self.close()
            raise

    def write(self, data: bytes) -> None:
        """Send all of it. Raises OutputError if the port is lost, or has no room within ``WRITE_S``."""
        self._check_open()
        end_ns = time.monotonic_ns() + as_ns(WRITE_S)
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:
                self._await_room(end_ns)
            except OSError as error:
                raise self._lost(error) from error

    def read(self, timeout_s: float = 0.0) -> bytes:
        """Return what has come; waits up to ``timeout_s`` for a first byte. Raises OutputError if the port is lost."""
        self._check_open()
        if not select.select([self._fd], [], [], timeout_s)[0]:
            return b""
        try:
            data = os.read(self._fd, 4096)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(error) from error
        if not data:
            raise self._lost(None)
        return data

    def close(self) -> None:
        """Release the port; twice is legal."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError, termios.error):
                # Unsent bytes of a lost cable would be waited for.
                termios.tcflush(fd, termios.TCOFLUSH)
            os.close(fd)

    def _check_open(self) -> None:
        if self._fd < 0:
            raise OutputError(f"{self.path}: used after it was closed")

    def _await_room(self, end_ns: int) -> None:
        left_s = (end_ns - time.monotonic_ns()) / 1e9
        if left_s <= 0 or not select.select([], [self._fd], [], left_s)[1]:
            raise OutputError(f"{self.path}: takes no more bytes; check the cable, then start again")

    def _lost(self, error: OSError | None) -> OutputError:
        reason = f" ({os.strerror(error.errno or 0)})" if error is not None else ""
        return OutputError(f"{self.path}: the Arduino was unplugged{reason}; plug it in again")


def find_ports() -> list[str]:
    """Return the serial ports that USB boards appear as, in order."""
    return sorted(glob.glob("/dev/ttyACM*") + glob.glob("/dev/ttyUSB*"))


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        there = f"these are there: {', '.join(find_ports())}" if find_ports() else "none is there: plug the Arduino in"
        raise OutputError(f"{path}: there is no such serial port; {there} (serial_port)") from error
    except PermissionError as error:
        cure = "run: sudo usermod -aG dialout $USER, then log in again"
        raise OutputError(f"{path}: this user may not open it; {cure}") from error
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise _busy(path) from error
        raise OutputError(f"{path}: cannot be opened ({os.strerror(error.errno or 0)}); check serial_port") from error


def _busy(path: str) -> OutputError:
    return OutputError(f"{path}: another program has it open; close that (the Arduino IDE's monitor, another session)")


def _take(fd: int, path: str) -> None:
    """Keep others out, those that run as root too as far as they ask."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _busy(path) from error
    with contextlib.suppress(OSError):
        fcntl.ioctl(fd, termios.TIOCEXCL)


def _set_raw(fd: int, path: str, baud: int) -> None:
    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        raise OutputError(f"{path}: this system knows no {baud} baud")
    try:
        control = list(termios.tcgetattr(fd))
        control[0] = control[1] = control[3] = 0
        control[2] = termios.CS8 | termios.CREAD | termios.CLOCAL | termios.HUPCL
        control[4] = control[5] = speed
        control[6][termios.VMIN], control[6][termios.VTIME] = 0, 0
        termios.tcsetattr(fd, termios.TCSANOW, control)
        termios.tcflush(fd, termios.TCIOFLUSH)
    except termios.error as error:
        raise OutputError(
            f"{path}: not a serial port; give the Arduino's, such as /dev/ttyACM0 (serial_port)"
        ) from error
