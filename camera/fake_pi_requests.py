"""The requests, jobs and mapped arrays of the module that stands for picamera2 (``camera.fake_picamera2``)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any, Protocol

from core.values import Image

RELEASED = 0xAA
"""What the pixels of a released frame turn into, so that no one can keep them unnoticed."""


class WouldHang(AssertionError):
    """The real library would wait here for ever."""


class Owner(Protocol):
    """What a request and a job ask of their camera."""

    def wait_for(self, done: Callable[[], bool], timeout: float | None) -> None:
        """Let time go by until ``done()``, for at most ``timeout`` (s). Raises TimeoutError."""

    def recycle(self, memory: Image) -> None:
        """A buffer came back."""


class Job:
    """An operation that the camera does when a frame allows it."""

    def __init__(self, camera: Owner) -> None:
        self._camera = camera
        self._result: CompletedRequest | None = None
        self._cancelled = False

    def take(self, request: CompletedRequest) -> None:
        """The camera gives this job its frame."""
        self._result = request

    def cancel(self) -> None:
        """Only ``cancel_all_and_flush`` calls this."""
        self._cancelled = True

    def get_result(self, timeout: float | None = None) -> CompletedRequest:
        """Wait for at most ``timeout`` (s). Raises TimeoutError, CancelledError."""
        self._camera.wait_for(lambda: self._result is not None or self._cancelled, timeout)
        if self._cancelled:
            raise CancelledError
        assert self._result is not None
        return self._result


class CompletedRequest:
    """A frame and its metadata, in one of the camera's buffers until it is released as often as it was acquired."""

    def __init__(self, camera: Owner, memory: Image, config: dict[str, Any], metadata: dict[str, Any]) -> None:
        self.picam2 = camera
        self.config = config
        self.ref_count = 1
        self.request: Image | None = memory
        self._metadata = metadata

    def acquire(self) -> None:
        """Keep it once more."""
        if self.ref_count == 0:
            raise RuntimeError("CompletedRequest: acquiring lock with ref_count 0")
        self.ref_count += 1

    def release(self) -> None:
        """Give it back; its buffer goes to the camera once no one keeps it."""
        self.ref_count -= 1
        if self.ref_count < 0:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        if self.ref_count == 0:
            assert self.request is not None
            self.request[:] = RELEASED
            self.picam2.recycle(self.request)
            self.request = None
            self.config = {}

    def get_metadata(self) -> dict[str, Any]:
        """Return what is known of this frame."""
        assert self.request is not None, "the request was released"
        return dict(self._metadata)

    def make_array(self, name: str) -> Image:
        """Return a copy of the pixels."""
        if name not in self.config:
            raise RuntimeError(f"Stream {name!r} is not defined")
        with MappedArray(self, name) as mapped:
            assert mapped.array is not None
            return mapped.array.copy()


class MappedArray:
    """The pixels of a request without a copy, for the length of a ``with``."""

    def __init__(self, request: CompletedRequest, stream: str, reshape: bool = True, write: bool = True) -> None:
        self._config = request.config[stream]  # which a released request has no more: KeyError
        assert request.request is not None
        self._memory = request.request
        self._reshape = reshape
        self._write = write
        self.array: Image | None = None

    def __enter__(self) -> MappedArray:
        width, height = self._config["size"]
        array = self._memory
        if self._reshape:
            array = array.reshape(height, self._config["stride"])[:, : width * 3].reshape(height, width, 3)
        self.array = array
        return self

    def __exit__(self, *_: object) -> None:
        self.array = None
