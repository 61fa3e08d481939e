"""How every command of the program begins and ends."""

from __future__ import annotations

import codecs
import contextlib
import functools
import io
import json
import logging
import os
import sys
import threading
import time
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import typer

from simulations.command_line import stopping

app = typer.Typer(
    name="plasticity",
    help="How far does brain-like plasticity get against backprop? "
    "Brian2 spiking networks and PyTorch attention on the same trials.",
    epilog="Start with `plasticity compare cued_digits` or `plasticity list`.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Every way a command ends: one sentence on standard error and the exit status; a traceback only under --debug.

    What the files given by --with define is known before anything else.
    """

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        from plasticity import extensions, given
        from plasticity.errors import PlasticityError, WrongUse

        # at an interruption Brian2 complains of what it did not run
        logging.getLogger("brian2.core.base.unused_brian_object").setLevel(logging.ERROR)
        # and joblib of results that nobody read
        warnings.filterwarnings("ignore", ".*(still being processed by the workers|successfully executed).*", UserWarning)
        try:
            extensions.add(kwargs.get("with_", ()))
            command(*args, **kwargs)
        except KeyboardInterrupt as stop:
            stopping.say(str(stop) or "interrupted.")
            code = 130
        except PlasticityError as error:
            tell(f"error: {error}")
            code = 2 if isinstance(error, WrongUse) else 1
            if kwargs.get("debug"):
                traceback.print_exc()
        except BrokenPipeError:  # the reader of our output has gone (plasticity list | head)
            sys.stdout = None
            code = 1
        except MemoryError:
            tell("error: there is not enough memory for this; ask for less at a time: fewer trials, smaller networks, --jobs 1.")
            code = 1
        except UnicodeError as error:
            tell(f"error: {' '.join(str(error).split())}; write it in plain letters.")
            code = 1
        except OSError as error:
            name = given.shown(str(error.filename or "a file"))
            tell(f"error: {name} cannot be used ({error.strerror or error}); give another name.")
            code = 1
        except Exception as error:
            if stopping.stopped():  # an interruption that came out of some library as another error
                stopping.say()
            else:
                tell(
                    f"error: {type(error).__name__}: {' '.join(str(error).split())}"
                    + ("" if kwargs.get("debug") else " (--debug shows where)")
                )
            code = 130 if stopping.stopped() else 1
            if kwargs.get("debug"):
                traceback.print_exc()
        else:
            return
        raise typer.Exit(code)

    return wrapper


def _version(asked: bool) -> None:
    """Print which code this is and on what it stands."""
    if not asked:
        return
    from plasticity.records import provenance

    told = provenance()
    changes = "" if told["clean"] else ", with changes"
    commit = "" if told["commit"] == "unknown" else f" (commit {told['commit'][:12]}{changes})"
    versions = dict(told["versions"])
    names = {"python": "Python", "brian2": "Brian2", "torch": "PyTorch", "numpy": "NumPy", "scipy": "SciPy"}
    print(f"plasticity {versions.pop('plasticity')}{commit}")
    print(", ".join(f"{names.get(name, name)} {version}" for name, version in versions.items()))
    raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", help="Which version this is, and of what it is made.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """What holds for the program as a whole; its help is that of `app`."""


def tell(sentence: str) -> None:
    """A sentence on standard error, of which a terminal obeys nothing."""
    from plasticity.errors import printable

    text = printable(sentence).encode(errors="backslashreplace").decode()  # a name may hold bytes that are no letters
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def warnings_told() -> Iterator[None]:
    """A warning is a sentence on standard error, told once, without its line of code; Brian2, once imported, logs it."""
    told: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if str(message) not in told:
            told.add(str(message))
            tell(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def print_json(value: Any) -> None:
    """All that stands on standard output with --json; escapes where the output cannot hold a character."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, default=str)
    print(text)


PLAIN = {"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{MINUS SIGN}": "-"}
PLAIN |= {"\N{MULTIPLICATION SIGN}": "x", "\N{PLUS-MINUS SIGN}": "+-", "\N{FRACTION SLASH}": "/"}


def _plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    """What is written for characters that standard output cannot hold: something close, else `?`; the name of a file as it is."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    if all("\udc80" <= letter <= "\udcff" for letter in lost):  # bytes of a name that are no UTF-8
        return lost.encode("ascii", "surrogateescape"), error.end

    def close(letter: str) -> str:
        near = (PLAIN.get(part, part) for part in unicodedata.normalize("NFKD", PLAIN.get(letter, letter)))
        return "".join(part for part in near if part.isascii()) or "?"

    return "".join(map(close, lost)), error.end


codecs.register_error("plasticity.plainly", _plainly)


@contextlib.contextmanager
def bar(label: str) -> Iterator[Callable[..., None]]:
    """`plasticity.bars.bar`; where standard error cannot draw one, there is a line every `EVERY_S` seconds instead."""
    from plasticity.bars import bar as drawn

    with drawn(label, stopping.heed) as show:
        if show is not None:
            yield show
            return
    with _lines(label) as tells:
        yield tells


EVERY_S = 30.0  # between two of the lines that there are instead of a bar


@contextlib.contextmanager
def _lines(label: str) -> Iterator[Callable[..., None]]:
    """Tells how far it is in a line every `EVERY_S` seconds, whether or not anything was heard meanwhile, and at the end."""
    from plasticity.meanwhile import goes_on

    began, ended = time.monotonic(), threading.Event()
    heard = ["", ""]  # the fraction, and jobs or a note; empty until there is work: a refusal has no lines
    jobs = ""

    def show(fraction: float, finished: int | None = None, total: int | None = None, note: str = "") -> None:
        nonlocal jobs
        stopping.heed()
        jobs = jobs if total is None else f"{finished}/{total} jobs"
        heard[:] = [f"{100 * fraction:.0f} %", note or jobs]

    def line() -> None:
        if heard[0]:
            tell(f"{label}: {', '.join(filter(None, (*heard, goes_on())))}, {_elapsed(time.monotonic() - began)} elapsed")

    def now_and_then() -> None:
        while not ended.wait(EVERY_S):
            line()

    watcher = threading.Thread(target=now_and_then, daemon=True)
    watcher.start()
    try:
        yield show
        line()
    finally:
        ended.set()
        watcher.join(timeout=2)


def _elapsed(seconds: float) -> str:
    """12 s, 2 min, 1 h 5 min."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def run(arguments: Sequence[str] | None = None) -> None:
    """Run a command line."""
    _open_closed_streams()
    os.environ.pop("MPLBACKEND", None)  # of a notebook, or of a desktop: figures are drawn without one
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="plasticity.plainly")  # nothing is lost at the end for a character
    words = list(sys.argv[1:] if arguments is None else arguments)
    if wrong := _not_said(words):
        tell(f"error: {wrong}")
        raise SystemExit(2)
    sys.argv[1:] = [word.encode(errors="backslashreplace").decode() for word in sys.argv[1:]]  # Brian2 logs them as UTF-8
    app(args=words, prog_name="plasticity")


SUCH_AS = {  # what may follow a command that needs something
    "show": "pair_stdp", "run": "stdp_window", "cite": "pair_stdp", "ablate": "spiking_gated --task cued_digits",
    "sweep": "cued_digits --grid train=200,1000", "plot": "results/cued_digits", "report": "results/cued_digits",
}  # fmt: skip


def _not_said(words: Sequence[str]) -> str:
    """Why a command line does not say one thing: nothing, an empty text, or an option of one value twice; else an empty text."""
    if len(words) == 1 and words[0] in SUCH_AS:
        return f"{words[0]} what? Such as `plasticity {words[0]} {SUCH_AS[words[0]]}`; `plasticity {words[0]} --help` tells more."
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    command = next((commands[word] for word in words if word in commands), None)
    options = {name: one for one in getattr(command, "params", ()) if one.param_type_name == "option" for name in one.opts}
    seen: set[str] = set()
    for place, word in enumerate(words):
        name, equals, value = word.partition("=") if word.startswith("--") else ("", "", "")
        if word == "--":
            break
        if not word.strip() or name in options and equals and not value.strip():
            before = words[place - 1] if place and words[place - 1] in options else name
            return f"{before or 'the command'} was given an empty text; write something there, or leave {before or 'it'} out."
        if (name in options or word in options) and not (options.get(word) or options[name]).multiple:
            option = (options.get(word) or options[name]).opts[0]
            if option in seen and not options[option].is_flag:
                return f"{option} is given twice; give it once."
            seen.add(option)
    return ""


def _open_closed_streams() -> None:
    """Standard streams that were closed (2>&-) lead nowhere; else the next file that is opened takes the place of one."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
