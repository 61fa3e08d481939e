"""Compile a network once, run it many times.

A *builder* is a module-level function `(spec) -> Model` that makes a Brian2 network from plain data. `program(builder,
spec)` generates its C++ (Brian2's standalone mode), compiles it into the cache and hands back a `Program`. Running
a program for another seed, other weights, stimuli, labels or parameters compiles nothing and imports nothing: it starts
the binary with other files.

The cache lies in the folder of `cache_folder()`. A compiled program is kept under the hash of the generated C++ with
compiler and flags; a small index remembers which specification led to which program, so that a second start does
not even generate code. Where there is no compiler, the same builder runs on Brian2's NumPy target.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pooch
from brian2 import NetworkOperation, Quantity, TimedArray, second
from brian2.core.variables import VariableView
from brian2.devices.device import reset_device
from brian2.utils.filelock import FileLock

from plasticity.errors import PlasticityError, WrongUse, unknown

Progress = Callable[[float], None]

FLAGS = ("-w", "-O3", "-ffast-math", "-fno-finite-math-only", "-march=native", "-std=c++11")
_SEED = """
if (const char* _seed = std::getenv("PLASTICITY_SEED"))
    for (size_t _k = 0; _k < brian::_random_generators.size(); _k++)
        brian::_random_generators[_k].seed(std::strtoul(_seed, NULL, 10) + 1000003UL * _k);
"""
_DIE_WITH_PARENT = """
#ifdef __linux__
prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
"""
_REPORT = "std::cout << completed << std::endl << std::flush;"


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
        What is read back after a run: variables by name (`group.v`, `monitor.t`).
    """

    network: brian2.Network
    duration: Quantity
    inputs: Mapping[str, VariableView | TimedArray]
    outputs: Mapping[str, VariableView]


Builder = Callable[[Any], Model]


def cache_folder() -> Path:
    """Where compiled programs lie: `PLASTICITY_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("PLASTICITY_CACHE")
    return Path(chosen) if chosen else Path(pooch.os_cache("plasticity")) / "programs"


@functools.cache
def compiler() -> str:
    """The C++ compiler with its version, or an empty text where there is none (or no `make`)."""
    name = os.environ.get("CXX", "g++")
    if shutil.which(name) is None or shutil.which("make") is None:
        return ""
    return subprocess.run([name, "--version"], capture_output=True, text=True).stdout.partition("\n")[0]


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
    if isinstance(value, np.ndarray):
        return ["array", value.dtype.str, list(value.shape), hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()]
    if isinstance(value, Mapping):
        return {str(k): canonical(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(v) for v in value]
    if callable(value):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise WrongUse(f"a network specification holds plain data, not {type(value).__name__}: {value!r}")


def _hash(*parts: Any) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


@functools.cache
def _source_hash(module: str) -> str:
    """All source a builder can reach: this package, and the builder's own file."""
    folder = Path(__file__).parent
    files = sorted(folder.rglob("*.py"))
    own = getattr(sys.modules.get(module), "__file__", None)
    if own and Path(own) not in files:
        files.append(Path(own))
    return _hash(*(part for f in files for part in (f.name, f.read_bytes())))


def _environment() -> tuple[str, ...]:
    return (compiler(), " ".join(FLAGS), _processor(), brian2.__version__, np.__version__)


def program(builder: Builder, spec: Any) -> Program:
    """The compiled program of a builder and its specification, from the cache or compiled now.

    Raises
    ------
    WrongUse
        The network holds a `NetworkOperation`, or the caller works in Brian2's standalone mode himself.
    PlasticityError
        Code generation or compilation failed.
    """
    if backend() == "numpy":
        return Program(builder, spec, None, {})
    cache = cache_folder()
    index = cache / "index" / _hash(
        builder.__module__, builder.__qualname__, json.dumps(canonical(spec), sort_keys=True),
        _source_hash(builder.__module__), *_environment(),
    )  # fmt: skip
    try:
        index.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PlasticityError(f"cannot write compiled programs to {cache}: {error.strerror}; set PLASTICITY_CACHE to a folder.") from None
    found = _find(cache, index)
    if found is None:
        with FileLock(str(index) + ".lock"):  # two processes that want the same build: one builds, the other waits
            found = _find(cache, index)
            if found is None:
                found = _compile(builder, spec, cache)
                _write(index, found.name)
    return Program(builder, spec, found, json.loads((found / "manifest.json").read_text()))


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(text)
    os.replace(temporary, path)


def _find(cache: Path, index: Path) -> Path | None:
    try:
        folder = cache / index.read_text()
    except OSError:
        return None
    return folder if (folder / "main").is_file() and (folder / "manifest.json").is_file() else None


def _compile(builder: Builder, spec: Any, cache: Path) -> Path:
    """Generate, hash, and compile unless that very code was compiled before; moved into place as a whole."""
    work = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
    try:
        manifest = _generate(builder, spec, work)
        sources = sorted(p for p in work.rglob("*") if p.suffix in (".cpp", ".h") or p.parent.name == "static_arrays" or p.name == "makefile")
        key = _hash(*(x for p in sources for x in (p.relative_to(work), p.read_bytes())), json.dumps(manifest), *_environment())
        final = cache / key
        if (final / "main").is_file() and (final / "manifest.json").is_file():
            return final
        started = time.perf_counter()
        made = subprocess.run(
            ["make", f"-j{os.cpu_count()}"], cwd=work, capture_output=True, text=True, env={**os.environ, "MAKEFLAGS": ""}
        )
        if made.returncode:
            raise PlasticityError(f"compiling {builder.__qualname__} failed: {made.stderr.strip()[-400:]}")
        for leftover in [*work.rglob("*.o"), *work.rglob("*.cpp"), work / "make.deps"]:
            leftover.unlink(missing_ok=True)
        manifest["compile_s"] = time.perf_counter() - started
        (work / "manifest.json").write_text(json.dumps(manifest))
        shutil.rmtree(final, ignore_errors=True)  # an incomplete one
        os.replace(work, final)
        return final
    except OSError as error:
        raise PlasticityError(f"cannot keep the compiled program in {cache}: {error.strerror}; set PLASTICITY_CACHE.") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _generate(builder: Builder, spec: Any, folder: Path) -> dict[str, Any]:
    """Write the C++ of the network into `folder`; returns the manifest of its inputs and outputs."""
    device = brian2.all_devices["cpp_standalone"]
    if brian2.get_device() is device:
        raise WrongUse("Brian2 is in standalone mode already; call brian2.set_device('runtime') before using this library's networks.")
    flags = brian2.prefs["codegen.cpp.extra_compile_args_gcc"]
    previous_dt = brian2.defaultclock.dt
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        brian2.prefs["codegen.cpp.extra_compile_args_gcc"] = list(FLAGS)
        model = builder(spec)
        _refuse_operations(model.network)
        device.insert_code("before_start", _DIE_WITH_PARENT)
        device.insert_code("after_start", _SEED)
        model.network.run(model.duration, report=_REPORT, report_period=0.2 * second, namespace={})
        for kind, arguments in device.main_queue:
            if kind == "run_network":  # the duration becomes an argument of the program
                lines = arguments[1]
                fixed = f"run({float(model.duration)!r},"
                lines[:] = [line.replace(fixed, f'run(std::getenv("PLASTICITY_DURATION") ? std::atof(std::getenv("PLASTICITY_DURATION")) : {float(model.duration)!r},') for line in lines]
        headers = brian2.prefs["codegen.cpp.headers"]
        brian2.prefs["codegen.cpp.headers"] = [*headers, "<cstdlib>", "<csignal>"] + (["<sys/prctl.h>"] if sys.platform == "linux" else [])
        try:
            device.build(directory=str(folder), compile=False, run=False)
        finally:
            brian2.prefs["codegen.cpp.headers"] = headers
        return {
            "duration": float(model.duration),
            "inputs": {name: _describe_input(view) for name, view in model.inputs.items()},
            "outputs": {name: _describe_output(device, view) for name, view in model.outputs.items()},
        }
    except brian2.BrianObjectException as error:
        raise PlasticityError(f"{builder.__qualname__} does not build: {error.__cause__ or error}") from error
    finally:
        brian2.prefs["codegen.cpp.extra_compile_args_gcc"] = flags
        reset_device()
        device.reinit()
        brian2.defaultclock.dt = previous_dt


def _refuse_operations(network: brian2.Network) -> None:
    for item in network.objects:
        if isinstance(item, NetworkOperation):
            raise WrongUse(
                f"the network holds the NetworkOperation {item.name!r}, which a compiled program would silently drop;"
                " write it as equations, run_regularly or a Synapses pathway."
            )


def _describe_input(view: VariableView | TimedArray) -> dict[str, Any]:
    if isinstance(view, TimedArray):
        return {"argument": f"{view.name}.values", "dtype": "float64", "shape": list(view.values.shape)}
    dynamic = bool(getattr(view.variable, "dynamic", False))
    return {"argument": f"{view.group_name}.{view.name}", "dtype": np.dtype(view.dtype).str, "shape": None if dynamic else list(np.shape(view.variable.size)) or [int(view.variable.size)]}


def _describe_output(device: Any, view: VariableView) -> dict[str, Any]:
    name = device.get_array_filename(view.variable)
    return {"file": Path(name).name, "dtype": np.dtype(view.dtype).str, "size": None if view.variable.dynamic else int(view.variable.size)}


@dataclasses.dataclass(frozen=True)
class Program:
    """A network that can be run again and again; made by `program`."""

    builder: Builder
    spec: Any
    folder: Path | None
    manifest: Mapping[str, Any]

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
            Values (arrays or numbers, in base units) for names in the model's `inputs`; arrays for a `TimedArray` may
            have fewer rows than it was built with: the rest is zero.
        duration : Quantity
            At most what the model was built for.
        progress : callable
            Called with the finished fraction while the program runs.

        Returns
        -------
        dict of arrays
            The model's outputs in base units, without units.

        Raises
        ------
        WrongUse
            An unknown input, a wrong shape, a NaN, a duration that is too long.
        PlasticityError
            The program failed.
        """
        if self.folder is None:
            return self._run_numpy(seed, inputs or {}, duration, progress)
        longest = self.manifest["duration"]
        time_s = longest if duration is None else float(duration)
        if not 0 <= time_s <= longest * (1 + 1e-12):
            raise WrongUse(f"duration {time_s} s is outside 0 to {longest} s, which the program was built for.")
        try:
            results = Path(tempfile.mkdtemp(prefix="plasticity-"))
        except OSError as error:
            raise PlasticityError(f"cannot write run files: {error.strerror}; set TMPDIR to a folder with room.") from None
        try:
            arguments = []
            for name, value in (inputs or {}).items():
                if name not in self.manifest["inputs"]:
                    raise unknown("input", name, self.manifest["inputs"])
                entry = self.manifest["inputs"][name]
                array = _fit(name, value, entry["shape"], entry["dtype"])
                file = results / f"{name}.in"
                array.tofile(file)
                arguments.append(f"{entry['argument']}={file}")
            environment = {**os.environ, "PLASTICITY_SEED": str(int(seed)), "PLASTICITY_DURATION": repr(time_s)}
            process = subprocess.Popen(
                [str(self.folder / "main"), "--results_dir", f"{results}{os.sep}", *arguments],
                cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    if progress is not None:
                        try:
                            progress(float(line))
                        except ValueError:
                            continue
                _, complaint = process.communicate()
            except BaseException:
                process.kill()
                process.wait()
                raise
            if process.returncode:
                how = f"signal {signal.Signals(-process.returncode).name}" if process.returncode < 0 else f"status {process.returncode}"
                raise PlasticityError(f"the compiled network {self.builder.__qualname__} ended with {how}. {complaint.strip()[-300:]}".strip())
            return {
                name: np.fromfile(results / entry["file"], dtype=entry["dtype"]) for name, entry in self.manifest["outputs"].items()
            }
        except OSError as error:
            raise PlasticityError(f"cannot write run files to {results}: {error.strerror}; set TMPDIR to a folder with room.") from None
        finally:
            shutil.rmtree(results, ignore_errors=True)

    def _run_numpy(
        self, seed: int, inputs: Mapping[str, Any], duration: Quantity | None, progress: Progress | None
    ) -> dict[str, np.ndarray]:
        """The same on Brian2's NumPy target, in this process."""
        target, state, previous_dt = brian2.prefs["codegen.target"], np.random.get_state(), brian2.defaultclock.dt
        brian2.prefs["codegen.target"] = "numpy"
        try:
            model = self.builder(self.spec)
            _refuse_operations(model.network)
            brian2.seed(int(seed) % 2**32)
            for name, value in inputs.items():
                if name not in model.inputs:
                    raise unknown("input", name, model.inputs)
                view = model.inputs[name]
                entry = _describe_input(view)
                array = _fit(name, value, entry["shape"], entry["dtype"])
                if isinstance(view, TimedArray):
                    view.values[...] = array.reshape(view.values.shape)
                else:
                    view.variable.set_value(array)
            length = model.duration if duration is None else duration
            if not 0 * second <= length <= model.duration * (1 + 1e-12):
                raise WrongUse(f"duration {length} is outside 0 s to {model.duration}, which the program was built for.")

            def report(elapsed: Any, completed: float, start: Any, total: Any) -> None:
                if progress is not None:
                    progress(float(completed))

            model.network.run(length, report=report, report_period=0.2 * second, namespace={})
            return {name: np.array(view.variable.get_value()) for name, view in model.outputs.items()}
        except brian2.BrianObjectException as error:
            raise PlasticityError(f"{self.builder.__qualname__} does not run: {error.__cause__ or error}") from error
        finally:
            brian2.prefs["codegen.target"] = target
            brian2.defaultclock.dt = previous_dt
            np.random.set_state(state)


def _fit(name: str, value: Any, shape: list[int] | None, dtype: str) -> np.ndarray:
    """The value as an array of the wanted shape; fewer rows of a two-dimensional one are filled with zeros."""
    given = np.asarray(value, dtype=float)
    if not np.isfinite(given).all():
        raise WrongUse(f"input {name!r} holds NaN or infinite values.")
    array = given.astype(dtype)
    if shape is None or list(array.shape) == shape:
        return np.ascontiguousarray(array)
    if array.ndim == 0:
        return np.full(shape, array)
    if array.ndim == len(shape) and list(array.shape[1:]) == shape[1:] and len(array) < shape[0]:
        return np.concatenate([array, np.zeros((shape[0] - len(array), *shape[1:]), dtype)])
    raise WrongUse(f"input {name!r} has shape {tuple(array.shape)}; it needs {tuple(shape)}.")
