"""What errors of picamera2 mean, and their cures. Pure."""

from __future__ import annotations

from core.errors import CameraError


def explained(name: str, error: BaseException) -> CameraError:
    """Return a CameraError of the camera ``name`` that says what ``error`` means, and what caused it."""
    reasons = []
    cause: BaseException | None = error
    while cause is not None:
        reasons.append(str(cause) or type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    text = " <- ".join(dict.fromkeys(reasons)).replace("\n", " ")
    if "busy" in text.lower() or "acquire" in text.lower():
        cure = "another program uses it: end it (rpicam-hello, motion, another session), then start again"
    elif isinstance(error, TypeError):
        cure = "its picamera2 is too old: sudo apt-get update, then sudo apt-get full-upgrade"
    else:
        cure = "see to its cable, and try rpicam-hello"
    return CameraError(f"{name}: {text}; {cure}")
