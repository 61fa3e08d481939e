"""Signals that end the program: one interruption, raised where it can be told in a sentence.

Nothing is imported here that takes time: this is in force before the rest is.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
PATIENCE_S = 10.0  # after the first signal; until then others are ignored, after it another one ends the program at once
RETRY_S = 0.02
UNSAFE_FILES = (
    "<frozen importlib._bootstrap>", "<string>", "/weakref.py", "/_weakrefset.py", "/brian2/core/tracking.py",
)  # fmt: skip

_stopped_at: float | None = None
_said = False
_depth = 0  # of the frame that asked for interruptions


def say(sentence: str = "interrupted.") -> None:
    """Tell it on standard error, once."""
    global _said
    if not _said:
        _said = True
        print(sentence, file=sys.stderr, flush=True)


def stopped() -> bool:
    """Whether a signal came."""
    return _stopped_at is not None


def heed() -> None:
    """KeyboardInterrupt where a signal came and some library caught what it raised."""
    if stopped():
        raise KeyboardInterrupt


@contextmanager
def interrupting(last: bool) -> Iterator[None]:
    """Ctrl-C, SIGTERM, a closed terminal and Ctrl-\\ raise KeyboardInterrupt inside, once.

    What was ignored before (by nohup) stays so. While a module is imported or an object finalised they wait until that is over:
    raised within, they would be lost, or leave a module half imported. Where this is the `last` thing that the process does, no
    other signal disturbs its end.
    """
    global _stopped_at, _said, _depth
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _stopped_at, _said, _depth = None, False, sum(1 for _ in _frames(sys._getframe(2)))  # 1 is contextlib's
    handled = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, _interrupt) for number in (*handled, signal.SIGALRM)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if last and stopped() else handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _stopped_at
    if _stopped_at is not None:
        if time.monotonic() - _stopped_at > PATIENCE_S:
            os._exit(130)
        return
    if _unsafe(frame):
        signal.setitimer(signal.ITIMER_REAL, RETRY_S)
        return
    _stopped_at = time.monotonic()
    raise KeyboardInterrupt


def _unsafe(frame: FrameType | None) -> bool:
    """Where what is raised does not reach the frame that asked for interruptions.

    Within an import; within eval("..."), after which CPython takes the interruption for one that nobody caught; and within
    __del__ or what is called when a weak reference dies, out of which CPython lets nothing.
    """
    frames = list(_frames(frame))
    inside = frames[: len(frames) - _depth]  # what is around may be a text itself, as of `python -c`
    return any(code.co_filename.endswith(UNSAFE_FILES) or code.co_name == "__del__" for code in inside)


def _frames(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back
