"""Compile a network once, run it many times.

A *builder* is a function `(spec) -> Model` that makes a Brian2 network from plain data. `program(builder,
spec)` generates its C++ (Brian2's standalone mode), compiles it into the cache and hands back a `Program`. Running
a program for another seed, other weights, stimuli, labels or parameters compiles nothing and imports nothing: it starts
the binary with other files.

A compiled program is kept (`cache`) under the hash of the generated C++ with compiler and flags. For builders and specifications
made of this project's own packages a small index remembers which led to which program, so that a second start does not even
generate code (`own`). For all others code is generated anew at each `program()`: what a function from outside depends on, nobody
knows before it has run. Nothing is compiled twice. Where there is no compiler, the same builder runs on Brian2's NumPy target.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import hashlib
import inspect
import json
import operator
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2 import NetworkOperation, Quantity, TimedArray, ms, second
from brian2.core.names import Nameable
from brian2.core.variables import VariableView
from brian2.devices.device import reset_device

from plasticity import given, held
from plasticity.checked import checked
from plasticity.encoders import check_rates
from plasticity.engine import cache
from plasticity.engine.cache import folder as cache_folder
from plasticity.engine.cache import hashed as _hash
from plasticity.engine.own import dependencies, found_by_name
from plasticity.engine.rewriting import faster
from plasticity.errors import PlasticityError, WrongUse, unknown
from plasticity.meanwhile import going_on

Progress = Callable[[float], None]

# -fno-finite-math-only keeps NaN and infinity; but with it GCC does not say __FAST_MATH__, and glibc hides its vectorised exp.
FLAGS = ("-w", "-pthread", "-O3", "-ffast-math", "-fno-finite-math-only", "-D__FAST_MATH__", "-march=native", "-std=c++11")
_SEED = """
if (const char* _seed = std::getenv("PLASTICITY_SEED"))
    for (size_t _k = 0; _k < brian::_random_generators.size(); _k++)
        brian::_random_generators[_k].seed(std::strtoul(_seed, NULL, 10) + 1000003UL * _k);
"""
_DURATION = 'std::getenv("PLASTICITY_DURATION") ? std::atof(std::getenv("PLASTICITY_DURATION")) : %r'
_HEADERS = ["<chrono>", "<csignal>", "<cstdlib>", "<fstream>", "<thread>", *["<sys/prctl.h>"] * (sys.platform == "linux")]
_LENGTH = ".length"
_DIE_WITH_PARENT = """
#ifdef __linux__
prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
"""
# Brian2's own progress report asks for the processor time before every object of every step, which costs more than a small
# network itself. A thread of its own looks at the clock five times a second instead.
_REPORT = """
std::cout << 0.0 << std::endl << std::flush;
std::thread([] {
    const double _end = %s;
    for (;;) {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        std::cout << brian::%s.t / _end << std::endl << std::flush;
    }
}).detach();
"""


@checked
@dataclasses.dataclass(frozen=True)
class Model:
    """What a builder returns.

    Parameters
    ----------
    network : brian2.Network
        Everything that runs, each object with a name of its own. No `NetworkOperation`: compiled code cannot call Python.
    duration : Quantity
        The longest run; a run may be shorter.
    inputs : dict
        What can be set per run: variables (`group.v`) and `TimedArray` objects by name.
    outputs : dict
        What is read back after a run: variables by name (`group.v`, `monitor.t`, `state_monitor.state("v")`).
    """

    network: brian2.Network
    duration: Quantity
    inputs: Mapping[str, VariableView | TimedArray]
    outputs: Mapping[str, VariableView]


Builder = Callable[[Any], Model]


def _cxx() -> tuple[list[str], str]:
    """The words that start the C++ compiler, and its version: CXX, else g++; nothing where there is neither (or no `make`)."""
    asked = os.environ.get("CXX", "").strip()
    try:
        words = [asked] if shutil.which(asked) else shlex.split(asked)  # a path may hold spaces
    except ValueError:  # a quotation mark without its partner
        words = []
    for candidate in (words, ["g++"]) if shutil.which("make") else ():
        if candidate and shutil.which(candidate[0]):
            try:
                told = subprocess.run([*candidate, "--version"], capture_output=True, text=True, errors="replace")
            except OSError:  # no program of this machine
                continue
            if told.returncode == 0 and told.stdout.strip():  # `true` says nothing
                return candidate, told.stdout.partition("\n")[0]
    return [], ""


@functools.cache
def compiler() -> str:
    """The C++ compiler with its version, or an empty text where there is none (or no `make`); says once when it is not CXX."""
    words, version = _cxx()
    asked = os.environ.get("CXX", "").strip()
    if words == ["g++"] and asked and asked != "g++":
        print(f"note: CXX={asked} cannot be started, so g++ is used; set CXX to a compiler, or unset it.", file=sys.stderr)
    return version


def _processor() -> str:
    """What -march=native depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        import platform

        return platform.processor() or platform.machine()
    return "".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


@functools.cache
def backend() -> str:
    """What runs the spiking networks here; says once, on standard error, when it is not compiled C++."""
    if compiler():
        return "cpp_standalone"
    print(
        "note: no C++ compiler (g++ and make) was found, so Brian2's NumPy target runs instead: the same networks, many times"
        " slower. Install g++ and make (Debian, Ubuntu: apt install g++ make) to have them compiled.",
        file=sys.stderr,
    )
    return "numpy"


def canonical(value: Any) -> Any:
    """Plain data that stands for a specification, for hashing: the same for equal contents, in any process."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: canonical(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"": type(value).__qualname__, **fields}
    if isinstance(value, Quantity):
        return ["quantity", np.asarray(value).tolist(), repr(value.dim)]
    if isinstance(value, np.ndarray) and value.dtype != object:
        return ["array", value.dtype.str, list(value.shape), hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()]
    if isinstance(value, Mapping):
        return {str(k): canonical(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(v) for v in value]
    if isinstance(value, type) or found_by_name(value):  # no lambda, closure, or bound method
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise WrongUse(f"a network specification holds plain data, not {type(value).__name__}: {value!r}")


def placeholders(owner: Any) -> Any:
    """A rule or neuron with each parameter replaced by a 1 of its unit.

    A network specification that holds it leads to one program for all values, which are then inputs of a run.
    """
    if not isinstance(getattr(owner, "parameters", None), dict) or isinstance(owner, type):
        raise WrongUse(f"{given.shown(owner)} is no rule and no neuron: it has no parameters that could be set per run.")
    ones = {k: Quantity(1.0, dim=v.dim) if isinstance(v, Quantity) else 1.0 for k, v in owner.parameters.items()}
    parts = {"parts": tuple(placeholders(part) for part in owner.parts)} if getattr(owner, "parts", ()) else {}  # of a sum
    return dataclasses.replace(owner, parameters=ones, **parts)


def _environment() -> tuple[str, ...]:
    return (compiler(), os.environ.get("CXX", ""), " ".join(FLAGS), _processor(), brian2.__version__, np.__version__)


def _name(builder: Builder) -> str:
    """What a builder is called in messages; a `functools.partial` has no name."""
    return str(getattr(builder, "__qualname__", type(builder).__qualname__))


def _preferences() -> str:
    """The caller's Brian2 preferences that can change the generated code (float32, loop optimisation, compiler settings)."""
    ours, not_ours = ("core.", "codegen.", "devices.cpp_standalone."), ("codegen.target", "codegen.runtime.")
    return repr(sorted((k, brian2.prefs[k]) for k in brian2.prefs if k.startswith(ours) and not k.startswith(not_ours)))


def _refuse_standalone() -> None:
    if brian2.get_device() is brian2.all_devices["cpp_standalone"]:
        raise WrongUse("Brian2 is in standalone mode; call brian2.set_device('runtime') before using this library's networks.")


BRIAN2_LOCK = threading.RLock()
"""Whoever changes what Brian2 has once in a process (device, preferences, clock, generator) holds it meanwhile."""


@checked
def program(builder: Builder, spec: Any) -> Program:
    """The compiled program of a builder and its specification, from the cache or compiled now.

    Raises
    ------
    WrongUse
        The network holds a `NetworkOperation`, or the caller works in Brian2's standalone mode himself.
    PlasticityError
        Code generation or compilation failed, or the cache folder is full, cannot be written, or is on a disk from which no
        program can be started.
    """
    if inspect.isclass(builder):
        raise WrongUse(f"builder={given.shown(builder)} must be a function that builds a network, not a class.")
    with BRIAN2_LOCK:  # generating code switches Brian2's device, which belongs to the whole process
        return _program(builder, spec)


def _program(builder: Builder, spec: Any) -> Program:
    _refuse_standalone()
    if backend() == "numpy":
        return Program(builder, spec, None, {})
    home = cache_folder()
    known = dependencies(builder, spec)
    name = _hash(json.dumps(known, sort_keys=True), _preferences(), *_environment()) if known else None
    try:
        held.clear_once(str(home), cache.BUILDING)
        found = cache.find(home, name) if name else None
        if found is None:
            most = cache.limit()
            cache.make(home)
            if _starts_nothing(home):
                raise PlasticityError(_NO_START.format(home))
            with going_on("compiling"):
                found = _compile(builder, spec, home)
            if name:
                cache.note(home, name, found[0].name)
            cache.shrink(home, most)
        return Program(builder, spec, *found)
    except OSError as error:
        other = "a folder with room, or type plasticity cache --clean" if held.full(error) else "another folder"
        raise PlasticityError(
            f"cannot keep compiled programs in {home}: {error.strerror or error}; set PLASTICITY_CACHE to {other}."
        ) from None


_NO_START = "no program can be started from {} (a disk mounted noexec?); set PLASTICITY_CACHE to a folder on another disk."
_ANEW = "give the same command again, which compiles it anew."


def _starts_nothing(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0))


def _compile(builder: Builder, spec: Any, home: Path) -> tuple[Path, dict[str, Any]]:
    """Generate, hash, and compile unless that very code was compiled before or is being compiled by another process."""
    with held.folder(home, cache.BUILDING) as ours:
        work = ours / "program"
        work.mkdir(mode=0o700)
        manifest = _generate(builder, spec, work)
        sources = {path.relative_to(work).as_posix(): path.read_bytes() for path in sorted(work.rglob("*")) if path.is_file()}
        key = _hash(*(part for source in sources.items() for part in source), json.dumps(manifest), *_environment())
        manifest["code"] = _hash(*(part for source in sources.items() if source[0] != "makefile" for part in source))
        manifest |= {"environment": _hash(*_environment()), "brian2": brian2.__version__}
        manifest["network"] = type(spec).__name__ if dataclasses.is_dataclass(spec) else _name(builder)
        with held.alone(home / "index" / f"{key}.lock"):
            noted = cache.manifest(home / key)
            return home / key, noted or _make(builder, work, manifest, home / key)


def _make(builder: Builder, work: Path, manifest: dict[str, Any], final: Path) -> dict[str, Any]:
    """Compile what was generated, and move it into place as a whole; returns its manifest."""
    _tell_unfit(manifest["rewritten"])
    started = time.perf_counter()
    environment = {**os.environ, "MAKEFLAGS": "", "CXX": shlex.join(_cxx()[0]).replace("$", "$$")}
    asked = ["make", f"-j{os.cpu_count()}"]
    try:
        made = subprocess.run(asked, cwd=work, capture_output=True, text=True, errors="replace", env=environment)
    except OSError as error:
        raise PlasticityError(f"cannot start make: {error.strerror}; run fewer at a time, with --jobs 1.") from None
    if made.returncode:
        raise PlasticityError(f"compiling {_name(builder)} failed: {_complaint(made.stderr.strip(), final.parent)}")
    if not (work / "main").is_file():
        raise PlasticityError(
            f"{shlex.join(_cxx()[0])} made no program of {_name(builder)}; set CXX to a C++ compiler, or unset it."
        )
    manifest["compile_s"] = time.perf_counter() - started
    return cache.keep(work, final, manifest)


def _complaint(told: str, home: Path) -> str:
    """What the compiler said, and what to do about it where that is known."""
    if re.search("No space left on device|Disk quota exceeded|File too large|SIGXFSZ|File size limit", told):
        return (
            f"there is no room; type plasticity cache --clean, or set PLASTICITY_CACHE (now {home}) and TMPDIR"
            f" (now {tempfile.gettempdir()}) to folders with room."
        )
    if re.search("Killed|out of memory|virtual memory exhausted|Cannot allocate memory|bad_alloc", told):
        return "the compiler was ended, or gave up, for lack of memory; give the same command again when more of it is free."
    return told[-400:]


def _tell_unfit(rewritten: Mapping[str, Mapping[str, bool]]) -> None:
    """One sentence where this Brian2 writes a passage otherwise than `rewriting` knows it."""
    missed = {change: [file for file, fits in files.items() if not fits] for change, files in rewritten.items()}
    unfit = [f"{change} ({', '.join(files)})" for change, files in missed.items() if files]
    if unfit:
        print(
            f"note: Brian2 {brian2.__version__} writes its C++ otherwise than expected, so that this network runs as well, but"
            f" slower, without {'; '.join(unfit)}; a release of Brian2 that is known to fit is 2.9.0, 2.10.1 or 2.11.0.",
            file=sys.stderr,
        )


def _generate(builder: Builder, spec: Any, folder: Path) -> dict[str, Any]:
    """Write the C++ of the network into `folder`; returns the manifest of its inputs and outputs."""
    device = brian2.all_devices["cpp_standalone"]
    ours = {
        "codegen.cpp.extra_compile_args_gcc": list(FLAGS),
        "codegen.cpp.headers": [*brian2.prefs["codegen.cpp.headers"], *_HEADERS],
        "core.stop_on_keyboard_interrupt": False,  # an interrupted program dies instead of handing back half a run
    }
    if hasattr(spec, "precision"):
        ours["core.default_float_dtype"] = {"double": np.float64, "single": np.float32}[spec.precision]
    theirs = {name: brian2.prefs[name] for name in ours}
    previous_dt, asked = brian2.defaultclock.dt, os.environ.get("CXX")
    if _cxx()[0] == ["g++"]:
        os.environ.pop("CXX", None)  # setuptools, which Brian2 asks, refuses what is no command
    named = Nameable.__instances__()  # Brian2 numbers its code by the names in use: hide what else lives in this process,
    others = set(named)  # so that the same network gives the same code
    named.clear()
    if previous_dt != 0.1 * ms:
        brian2.defaultclock.dt = 0.1 * ms  # whatever step this session has: that of a network which sets none
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        for name, value in ours.items():
            brian2.prefs[name] = value
        model = _built(builder, spec)
        _refuse_operations(model.network)
        device.insert_code("before_start", _DIE_WITH_PARENT)
        device.insert_code("after_start", _SEED)
        device.insert_code("before_network_run", _REPORT % (_DURATION % float(model.duration), model.network.name))
        model.network.run(model.duration, namespace={})
        for kind, arguments in device.main_queue:
            if kind == "run_network":  # the duration becomes an argument of the program
                lines = arguments[1]
                fixed = f"run({float(model.duration)!r},"
                if not any(fixed in line for line in lines):
                    raise PlasticityError(f"this version of Brian2 ({brian2.__version__}) writes its run() in an unknown way.")
                lines[:] = [line.replace(fixed, f"run({_DURATION % float(model.duration)},") for line in lines]
        _sort_clocks(device, model.network)
        outputs = {name: _describe_output(device, view) for name, view in model.outputs.items()}
        for name, view in model.outputs.items():
            if -1 in outputs[name]["shape"]:  # how long it grew is said at the end, so that a cut off file is noticed
                array = f"brian::{device.get_array_name(view.variable, access_data=False)}"
                length = f"{array}.n" if len(outputs[name]["shape"]) == 2 else f"{array}.size()"
                file = f'std::ofstream(brian::results_dir + "{outputs[name]["file"]}{_LENGTH}")'
                device.insert_code("before_end", f"{file} << {length} << std::endl;")
        device.build(directory=str(folder), compile=False, run=False)
        inputs = {name: _describe_input(view) for name, view in model.inputs.items()}
        settable = (entry["argument"] for entry in inputs.values())
        rewritten: dict[str, dict[str, bool]] = {}
        faster(
            folder, model.network, device, settable, (entry["file"] for entry in outputs.values()),
            lambda change, file, fits: rewritten.setdefault(change, {}).update({file: fits}),
        )  # fmt: skip
        rewritten = {change: dict(sorted(rewritten[change].items())) for change in sorted(rewritten)}  # Brian2 has no fixed order
        return {"duration": float(model.duration), "inputs": inputs, "outputs": outputs, "rewritten": rewritten}
    except brian2.BrianObjectException as error:
        raise PlasticityError(f"{_name(builder)} does not build: {error.__cause__ or error}") from error
    finally:
        for name, value in theirs.items():
            brian2.prefs[name] = value
        named.update(others)
        reset_device()
        device.reinit()
        brian2.defaultclock.dt = previous_dt
        if asked is not None:
            os.environ["CXX"] = asked


def _built(builder: Builder, spec: Any) -> Model:
    """What the builder makes; a file that it cannot read is no matter of the cache."""
    try:
        made = builder(spec)
    except OSError as error:
        raise PlasticityError(f"{_name(builder)} does not build: {error}") from error
    if not isinstance(made, Model):
        raise WrongUse(f"{_name(builder)} builds no network but gives a {type(made).__name__}; let it return an engine.Model.")
    return made


def _sort_clocks(device: Any, network: brian2.Network) -> None:
    """Brian2 starts the clocks of a run in no fixed order; the same network must give the same code."""
    queue = device.main_queue
    arrays = {device.get_array_name(clock.variables[name]) for clock in network._clocks for name in ("t", "timestep")}
    where = [k for k, (kind, what) in enumerate(queue) if kind == "set_by_single_value" and what[0] in arrays]
    for k, entry in zip(where, sorted((queue[k] for k in where), key=lambda entry: entry[1][0]), strict=True):
        queue[k] = entry


def _refuse_operations(network: brian2.Network) -> None:
    for item in network.objects:
        if isinstance(item, NetworkOperation):
            raise WrongUse(
                f"the network holds the NetworkOperation {item.name!r}, which a compiled program would silently drop;"
                " write it as equations, run_regularly or a Synapses pathway."
            )


def _describe_input(view: VariableView | TimedArray) -> dict[str, Any]:
    """What a value must look like; `shape` None: only the running program knows how many there are (synapses)."""
    rate = view.dim == brian2.Hz.dim
    shape: list[int] | None
    if isinstance(view, TimedArray):
        kind, argument, shape = view.values.dtype, f"{view.name}.values", list(view.values.shape)
    else:
        kind, argument = np.dtype(view.dtype), f"{view.group_name}.{view.name}"
        shape = None if getattr(view.variable, "dynamic", False) else [int(view.variable.size)]
    return {
        "argument": argument, "dtype": kind.str, "shape": shape, "rows": isinstance(view, TimedArray), "rate": rate,
        "unit": str(view.dim),
    }  # fmt: skip


def _describe_output(device: Any, view: VariableView) -> dict[str, Any]:
    size = view.variable.size
    if not getattr(view.variable, "dynamic", False):
        shape = [int(size)]
    else:
        shape = [-1, int(size[1])] if np.ndim(size) else [-1]  # a StateMonitor's variable has a column for each recorded neuron
    return {"file": Path(device.get_array_filename(view.variable)).name, "dtype": np.dtype(view.dtype).str, "shape": shape}


@checked
@dataclasses.dataclass(frozen=True)
class Program:
    """A network that can be run again and again; made by `program`. `defaults` are inputs of every run that gives no others."""

    builder: Builder
    spec: Any
    folder: Path | None
    manifest: Mapping[str, Any]
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process, perhaps on another machine: this very program if the cache there holds it, or compiled there."""
        return _again, (self.builder, self.spec, self.defaults, self.folder and self.folder.name, dict(self.manifest))

    def run(
        self,
        seed: int,
        inputs: Mapping[str, Any] | None = None,
        duration: Quantity | None = None,
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray]:
        """One run in a process of its own.

        Parameters
        ----------
        seed : int
            Everything random in the network follows from it.
        inputs : dict
            Values (arrays or numbers, in base units) for names in the model's `inputs`; an array for a `TimedArray` may
            have fewer rows than it was built with: the rest is zero.
        duration : Quantity
            At most what the model was built for.
        progress : callable
            Called with the finished fraction while the program runs.

        Returns
        -------
        dict of arrays
            The model's outputs in base units, without units; a StateMonitor's variable as (times, neurons).

        Raises
        ------
        WrongUse
            An unknown input, a wrong shape or unit, what is no real number (text, dates, complex numbers, NaN) or none of the
            input's type, a negative rate, a duration that is too long or no time, a seed that is no whole number.
        PlasticityError
            The program failed, or the temporary folder is full or cannot be written.
        """
        inputs = {**self.defaults, **(inputs or {})}
        try:
            seed = operator.index(seed) % 2**32
        except TypeError:
            raise WrongUse(f"seed={seed!r} is not a whole number; give one, like 1.") from None
        if self.folder is None:
            with BRIAN2_LOCK:  # Brian2's preferences, clock and generator belong to the whole process: one run at a time
                return self._run_numpy(seed, inputs, duration, progress)
        time_s = _length(duration, self.manifest["duration"])
        with held.temporary("plasticity-run-") as results, cache.used(self.folder):
            with _run_files():
                arguments = self._written(inputs, results)
            environment = {**os.environ, "PLASTICITY_SEED": str(seed), "PLASTICITY_DURATION": repr(time_s)}
            complaint = self._execute([f"{results}{os.sep}", *arguments], environment, results / "complaint", progress)
            for name, given, expected in re.findall(r"([^/]+)\.in': file size (\d+) does not match .* (\d+)", complaint):
                size = np.dtype(self.manifest["inputs"][name]["dtype"]).itemsize
                raise WrongUse(f"input {name!r} has {int(given) // size} values; it needs {int(expected) // size}.")
            with _run_files():
                return {name: self._read(name, entry, results) for name, entry in self.manifest["outputs"].items()}

    def _written(self, inputs: Mapping[str, Any], results: Path) -> list[str]:
        """What the program is told of its inputs, arrays as files."""
        arguments = []
        for name, value in inputs.items():
            if name not in self.manifest["inputs"]:
                raise unknown("input", name, self.manifest["inputs"])
            entry = self.manifest["inputs"][name]
            array = _fit(name, value, entry)
            if entry["shape"] is None and array.ndim == 0:
                arguments.append(f"{entry['argument']}={array.item()!r}")
            else:
                (results / f"{name}.in").write_bytes(array.tobytes())  # ndarray.tofile is silent on a full disk
                arguments.append(f"{entry['argument']}={results / name}.in")
        return arguments

    def _read(self, name: str, entry: Mapping[str, Any], results: Path) -> np.ndarray:
        """An output of a run that has ended; PlasticityError where it is not there or not whole."""
        try:
            found = np.fromfile(results / entry["file"], dtype=entry["dtype"])
            shape = [(results / f"{entry['file']}{_LENGTH}").read_text() if n == -1 else n for n in entry["shape"]]
        except FileNotFoundError:
            disk = os.statvfs(results)
            if not disk.f_bavail or (disk.f_files and not disk.f_favail):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
            raise PlasticityError(
                f"the compiled network {_name(self.builder)} ended well, but its output {name!r} is not in {results}; something"
                " else seems to delete files there: give the same command again, or set TMPDIR to another folder."
            ) from None
        try:
            return found.reshape([int(n) for n in shape])
        except ValueError:  # the program does not notice a full disk
            raise OSError(errno.ENOSPC, f"only {found.size} values of {name!r} are there") from None

    def _execute(self, arguments: list[str], environment: dict[str, str], complaints: Path, progress: Progress | None) -> str:
        """Start the binary and wait; returns what it wrote on standard error."""
        assert self.folder is not None
        with _run_files():
            stderr = open(complaints, "w+", errors="replace")
        with stderr:
            try:
                process = subprocess.Popen(
                    [str(self.folder / "main"), "--results_dir", *arguments],
                    cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True,
                )  # fmt: skip
            except OSError as error:
                if error.errno == errno.EACCES and _starts_nothing(self.folder):
                    raise PlasticityError(_NO_START.format(self.folder)) from None
                fewer = error.errno in (errno.ENOMEM, errno.EAGAIN)
                what = "run fewer at a time, with --jobs 1." if fewer else _ANEW
                raise PlasticityError(f"cannot start {self.folder / 'main'}: {error.strerror}; {what}") from None
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    if progress is not None:
                        try:
                            fraction = float(line)
                        except ValueError:
                            continue
                        progress(fraction)
                process.wait()
                if progress is not None and process.returncode == 0:
                    progress(1.0)
            except BaseException:
                process.kill()
                process.wait()
                raise
            finally:
                if process.stdout is not None:
                    process.stdout.close()
            stderr.seek(0)
            complaint = stderr.read().strip()
        if process.returncode:
            raise PlasticityError(f"the compiled network {_name(self.builder)} {_ending(process.returncode, complaint)}")
        return complaint

    def _run_numpy(
        self, seed: int, inputs: Mapping[str, Any], duration: Quantity | None, progress: Progress | None
    ) -> dict[str, np.ndarray]:
        """The same on Brian2's NumPy target, in this process."""
        _refuse_standalone()
        ours = {"codegen.target": "numpy", "core.stop_on_keyboard_interrupt": False}  # Ctrl-C must not hand back half a run
        theirs = {name: brian2.prefs[name] for name in ours}
        previous_dt = brian2.defaultclock.dt
        state = np.random.get_state()  # noqa: NPY002  (Brian2 draws from NumPy's global generator)
        for name, value in ours.items():
            brian2.prefs[name] = value
        brian2.defaultclock.dt = 0.1 * ms  # what a builder finds in standalone mode
        try:
            brian2.seed(seed)  # before the builder, which may draw connections and initial values
            model = _built(self.builder, self.spec)
            _refuse_operations(model.network)
            for name, value in inputs.items():
                if name not in model.inputs:
                    raise unknown("input", name, model.inputs)
                view = model.inputs[name]
                array = _fit(name, value, _describe_input(view))
                if isinstance(view, TimedArray):
                    view.values[...] = array
                else:
                    held = view.variable.get_value()
                    if array.ndim and array.shape != np.shape(held):
                        raise WrongUse(f"input {name!r} has {array.size} values; it needs {np.size(held)}.")
                    view.variable.set_value(array)
            length = _length(duration, float(model.duration)) * second
            slowest = max(float(item.clock.dt) for item in model.network.sorted_objects)
            if 0 < float(length) <= 1e-4 * slowest:  # Brian2 rounds its steps to 0, and may stop all clocks before the first step
                raise WrongUse(
                    f"duration={length} is no more than a ten-thousandth of the network's slowest clock ({slowest:g} s), of which"
                    " Brian2's NumPy target may make a run of no length; run for longer."
                )

            def report(elapsed: Any, completed: float, start: Any, total: Any) -> None:
                if progress is not None:
                    progress(float(completed))

            model.network.run(length, report=report, report_period=0.2 * second, namespace={})
            return {name: np.array(view.variable.get_value()) for name, view in model.outputs.items()}
        except brian2.BrianObjectException as error:
            raise PlasticityError(f"{_name(self.builder)} does not run: {error.__cause__ or error}") from error
        finally:
            for name, value in theirs.items():
                brian2.prefs[name] = value
            brian2.defaultclock.dt = previous_dt
            np.random.set_state(state)  # noqa: NPY002


@contextlib.contextmanager
def _run_files() -> Iterator[None]:
    """PlasticityError where files of a run cannot be written or read."""
    try:
        yield
    except OSError as error:
        raise held.no_run_files(error) from None


def _ending(code: int, complaint: str) -> str:
    """How a program failed, and what to do about it where that is known."""
    how = f"ended with signal {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
    if code == -signal.SIGKILL or "bad_alloc" in complaint:
        why = "perhaps" if code == -signal.SIGKILL else "it says"
        return f"{how}, {why} for lack of memory; run fewer at a time, with --jobs 1, or a smaller network."
    return f"{how}. {complaint[-300:]}".strip()


def _again(builder: Builder, spec: Any, defaults: Mapping[str, Any], name: str | None, manifest: Mapping[str, Any]) -> Program:
    """A program that was pickled; PlasticityError where its builder makes another network here than it did there."""
    if name is None:
        return Program(builder, spec, None, {}, defaults)
    folder = cache_folder() / name
    if backend() != "numpy" and manifest["environment"] == _hash(*_environment()):
        with contextlib.suppress(OSError):
            cache.check(folder.parent, link=True)
            if noted := cache.manifest(folder):
                return Program(builder, spec, folder, noted, defaults)
    made = program(builder, spec)
    same_brian2 = made.folder is not None and made.manifest["brian2"] == manifest["brian2"]
    if same_brian2 and made.manifest["code"] != manifest["code"]:
        raise PlasticityError(
            f"{_name(builder)} makes another network in this process than where the program came from; put what differs"
            " (a constant that was changed, something drawn at random) into the specification."
        )
    return dataclasses.replace(made, defaults=defaults)


def _length(duration: Quantity | None, longest: float) -> float:
    """The wanted duration in seconds."""
    if duration is None:
        return longest
    if not isinstance(duration, Quantity) or duration.dim != second.dim or duration.ndim or duration.dtype.kind not in "iuf":
        raise WrongUse(f"duration={duration} is not a time; write it like 500*ms.")
    time_s = float(duration)
    if not 0 <= time_s <= longest * (1 + 1e-12):
        raise WrongUse(f"duration {time_s} s is outside 0 to {longest} s, which the program was built for.")
    return time_s


def _fit(name: str, value: Any, entry: Mapping[str, Any]) -> np.ndarray:
    """The value as an array of the wanted shape and type; missing rows of a `TimedArray` are filled with zeros."""
    if isinstance(value, Quantity) and str(value.dim) != entry["unit"]:
        raise WrongUse(f"input {name!r} has the unit {value.dim}; it needs {entry['unit']}.")
    try:
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "biufO":  # complex numbers, dates and texts would become others in silence
            raise TypeError
        given = np.asarray(numbers, dtype=float)
    except (TypeError, ValueError):
        what = f"an array of {value.dtype}" if isinstance(value, np.ndarray) and value.ndim else repr(value)
        raise WrongUse(f"input {name!r} is {what}; it needs numbers in base units.") from None
    if not np.isfinite(given).all():
        raise WrongUse(f"input {name!r} holds NaN or infinite values.")
    if entry["rate"]:
        check_rates(given, name)
    with np.errstate(all="ignore"):
        array, shape = given.astype(entry["dtype"]), entry["shape"]
    held = np.isfinite(array) if array.dtype.kind == "f" else array == given
    if not held.all():
        raise WrongUse(f"input {name!r} holds {given[~held].flat[0]:g}, which is no number of its type {array.dtype}.")
    if shape is None or list(array.shape) == shape:
        return array
    if array.ndim == 0:
        return np.full(shape, array)
    if entry["rows"] and array.ndim == len(shape) and list(array.shape[1:]) == shape[1:] and len(array) < shape[0]:
        return np.concatenate([array, np.zeros((shape[0] - len(array), *shape[1:]), array.dtype)])
    raise WrongUse(f"input {name!r} has shape {tuple(array.shape)}; it needs {tuple(shape)}.")
