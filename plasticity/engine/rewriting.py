"""What this library changes in the C++ that Brian2 writes, so that it does the same work faster.

    plain_steps          the loop over time steps: each clock's objects in a list, no sets of clocks in each step
    independent_neurons  state updates: the neurons do not touch each other, so that the loop can be vectorised
    refractory_by_time   refractoriness as a comparison of times, which can be vectorised, not of whole numbers of steps
    two_step_threshold   the condition for all neurons first (vectorised), then the few that spike
    living_alone         structural laws: loops over the living synapses where nothing is asked of single silent ones
    living_together      structural laws: what living synapses have lies side by side from one update to the next
    all_to_all           synapses of all with all: loops over rows of weights, no lists of synapses, no queue, no index arrays
    wanted_arrays        only what is read back is written to disk at the end of a run
    headers_once         the headers, which are most of what there is to compile, are compiled once for all files

Each change leaves the results as they are (tests/unit/test_rewriting.py runs networks with and without). Where Brian2 writes a
passage otherwise than expected (another release), that passage stays as it is: slower, and right. So that somebody notices,
`faster` tells which change was made in which file and which one was looked for in vain; a compilation says the latter in one
sentence, and a test holds that there is none in the networks of this package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import brian2
from brian2 import Synapses
from brian2.groups.neurongroup import StateUpdater, Thresholder
from brian2.synapses.synapses import StateUpdater as SynapsesStateUpdater

_WRITTEN = re.compile(r"\[(\w+)\] [-+*/]?= ")


def faster(
    folder: Path,
    network: brian2.Network,
    device: Any,
    settable: Iterable[str],
    wanted: Iterable[str],
    tell: Callable[[str, str, bool], Any],
) -> None:
    """Apply all of it to the sources in a folder.

    Parameters
    ----------
    folder : Path
        Where Brian2 wrote them.
    network, device
        What they were written from.
    settable : names
        Variables that a run may set, as `group.variable`.
    wanted : file names
        Arrays that are read back after a run.
    tell : callable
        Told for each file (or synapses) where a change belongs: which change, which file, and whether it was made.
    """
    settable, code = frozenset(settable), folder / "code_objects"

    def note(change: str, file: str, fits: bool | None) -> None:
        if fits is not None:  # None: it does not belong there
            tell(change, file, fits)

    note("plain_steps", "network.cpp", plain_steps(folder))
    for item in network.sorted_objects:
        for path in sorted({code / f"{own.name}.cpp" for own in item.code_objects}):
            if isinstance(item, (StateUpdater, SynapsesStateUpdater)):
                note("refractory_by_time", path.name, _rewrite(path, refractory_by_time) or _waits_otherwise(path.read_text()))
                note("independent_neurons", path.name, _rewrite(path, independent_neurons) or _draws(path.read_text()))
            elif isinstance(item, Thresholder):
                note("two_step_threshold", path.name, _rewrite(path, two_step_threshold))
    for item in sorted(network.objects, key=lambda item: item.name):  # Brian2 has no fixed order
        if isinstance(item, Synapses):
            note("all_to_all", item.name, all_to_all(folder, item, device, settable))
            together = living_together(folder, item, network, device)
            note("living_together", item.name, together)
            note("living_alone", item.name, living_alone(folder, item, bool(together)))
    note("wanted_arrays", "objects.cpp", wanted_arrays(folder, frozenset(wanted)))
    note("headers_once", "makefile", headers_once(folder))


def _rewrite(path: Path, change: Callable[[str], str]) -> bool:
    """Whether the change changed anything."""
    before = path.read_text()
    after = change(before)
    if after != before:
        path.write_text(after)
    return after != before


_EACH_STEP = (
    "        current = std::clock();\n        elapsed_realtime = (double)(current - start)/(1 * CLOCKS_PER_SEC);\n",
    "    Network::_globally_running = false;\n",
)
_LOOP = re.compile(
    r"        for\(size_t i=0; i<objects\.size\(\); i\+\+\)\n        \{(?:(?!\n        \}\n).)*?curclocks\.find"
    r".*?        clock = next_clocks\(\);\n",
    flags=re.DOTALL,
)
_START = re.compile(r"    (Clock|BaseClock)\* clock = next_clocks\(\);\n")  # the latter since Brian2 2.10
_LISTS = """    const std::vector<Clock*> every(clocks.begin(), clocks.end());
    std::map<Clock*, std::vector<codeobj_func> > own;
    for (size_t i = 0; i < objects.size(); i++)
        if (objects[i].second)
            own[objects[i].first].push_back(objects[i].second);
"""
_STEP = """        if (curclocks.size() == 1)  // most steps belong to one clock alone
        {
            const std::vector<codeobj_func> &due = own[clock];
            for (size_t i = 0; i < due.size(); i++)
                due[i]();
        }
        else
            for (size_t i = 0; i < objects.size(); i++)
                if (objects[i].second && curclocks.count(objects[i].first))
                    objects[i].second();
        for (std::set<Clock*>::iterator i = curclocks.begin(); i != curclocks.end(); i++)
            (*i)->tick();
        bool alone = curclocks.size() == 1;
        for (size_t i = 0; alone && i < every.size(); i++)
            alone = every[i] == clock || every[i]->t[0] - clock->t[0] > 2*Clock_epsilon;
        if (!alone)
            clock = next_clocks();
"""


def plain_steps(folder: Path) -> bool:
    """Brian2 looks up each object's clock in a set in each step, builds that set anew, and (2.9) asks for the processor time."""

    def change(text: str) -> str:
        each, after = _EACH_STEP
        if text.count(each) == text.count(after) == 1:
            once = after + "    elapsed_realtime = (double)(std::clock() - start)/CLOCKS_PER_SEC;\n"
            text = text.replace(each, "").replace(after, once)
        start = _START.findall(text)
        if len(_LOOP.findall(text)) == len(start) == 1:
            step, lists = (passage.replace("Clock*", f"{start[0]}*") for passage in (_STEP, _LISTS))
            text = _START.sub(lambda found: found[0] + lists, _LOOP.sub(lambda found: step, text))
            text = "#include <map>\n#include <set>\n#include <vector>\n" + text
        return text

    _rewrite(folder / "network.cpp", change)
    steps = (folder / "network.cpp").read_text().partition("while(clock")[2].partition("_globally_running = false")[0]
    return "own[clock]" in steps and "current = std::clock();" not in steps


def _touches_only(text: str, *indices: str) -> bool:
    """Whether the loop writes its own elements only and draws no random numbers, whose order must stay."""
    return set(_WRITTEN.findall(text)) <= set(indices) and "_rand" not in text


def independent_neurons(text: str) -> str:
    """Between so many arrays the compiler gives up to ask whether two of them overlap; none do."""
    head, mark, main = text.partition("//// MAIN CODE")
    loop = "    for(int _idx=0; _idx<_N; _idx++)\n"
    if main.count(loop) != 1 or not _touches_only(main, "_idx"):
        return text
    return head + mark + main.replace(loop, "#pragma GCC ivdep\n" + loop)


def _draws(text: str) -> bool | None:
    return None if "_rand" in text.partition("//// MAIN CODE")[2] else False


def refractory_by_time(text: str) -> str:
    """(int)((t - lastspike + dt/1000)/dt) >= n is t - lastspike + dt/1000 >= n dt."""
    return re.sub(
        r"not_refractory = _timestep\(t - lastspike, dt\) >= (\w+);", r"not_refractory = t - lastspike + 1e-3*dt >= \1*dt;", text
    )


def _waits_otherwise(text: str) -> bool | None:
    condition = re.search(r"\bnot_refractory = (?!_ptr)(.*);", text)  # none, not of times, or each neuron has a time of its own
    return None if not condition or "lastspike" not in condition[1] or condition[1].count("_timestep(") == 2 else False


_THRESHOLD = re.compile(
    r"    long _count = 0;\n    for\(size_t _idx=0; _idx<N; _idx\+\+\)\n    \{\n(?P<body>(?:(?!\n    \}\n).)*?)"
    r"\n +if\(_cond\) \{\n(?P<hit>.*?)\n        \}\n    \}\n",
    flags=re.DOTALL,
)


def two_step_threshold(text: str) -> str:
    """memchr is vectorised in the C library."""

    def two(found: re.Match[str]) -> str:
        return f"""    long _count = 0;
    static char _hits[N];
    for (size_t _idx = 0; _idx < N; _idx++)
    {{
{found["body"]}
        _hits[_idx] = _cond ? 1 : 0;
    }}
    const char* const _last = _hits + N;
    for (const char* _hit = (const char*)memchr(_hits, 1, N); _hit; _hit = (const char*)memchr(_hit + 1, 1, _last - _hit - 1))
    {{
        const size_t _idx = _hit - _hits;
{found["hit"]}
    }}
"""

    changed = _THRESHOLD.sub(two, text)
    return text if changed == text else "#include <cstring>\n" + changed


_ROWS = re.compile(
    r"    std::vector<int> \*_spiking_synapses = \w+\.peek\(\);\n"
    r"    const int _num_spiking_synapses = _spiking_synapses->size\(\);\n"
    r"\s*\{?\s*for\(int _spiking_synapse_idx=0;\s*_spiking_synapse_idx<_num_spiking_synapses;\s*_spiking_synapse_idx\+\+\)"
    r"\s*\{\s*"
    r"const size_t _idx = \(\*_spiking_synapses\)\[_spiking_synapse_idx\];\n"
    r"(?P<body>.*?)\n\s*\}\s*\}\s*\}?\s*(?=\n\}\n\nvoid _debugmsg)",
    flags=re.DOTALL,
)
_EVERY_PAIR = (
    "const char _cond = true;", "const int32_t _iter_low = 0;", "const int32_t _iter_high = N_post;",
    "const int32_t _iter_step = 1;", "const int32_t _n = 1;", "_source_offset = 0;", "_target_offset = 0;",
)  # fmt: skip
_SAMPLED = ("_iter_p", "_iter_size")


def all_to_all(folder: Path, synapses: Synapses, device: Any, settable: frozenset[str]) -> bool | None:
    """Synapses made by `connect()`: synapse (i, j) is number i n_post + j, so that nothing needs to be looked up.

    Brian2 keeps the numbers of both neurons of each synapse, keeps a list of the synapses of each neuron, copies these lists
    into a queue when the neuron spikes, and goes through them one by one. Left as it is (None) where there are delays, more than
    one `connect`, connections by a condition or probability, or a structure that changes.
    """
    if getattr(synapses, "structure", None) is not None:
        return None
    name, n_pre, n_post = synapses.name, len(synapses.source), len(synapses.target)
    code = folder / "code_objects"
    made = sorted(code.glob(f"{name}_synapses_create_*_codeobject*.cpp"))
    if len(made) > 1 or any("_create_array_" in path.name for path in made):
        return None
    generator = made[0].read_text() if made else ""
    if not all(text in generator for text in _EVERY_PAIR) or any(text in generator for text in _SAMPLED):
        return None if all(text.partition(" = ")[0].split()[-1] in generator for text in _EVERY_PAIR) else False
    pathways = list(synapses._pathways)
    main = (folder / "main.cpp").read_text()
    delays = [device.get_array_name(pathway.variables["delay"], access_data=False) for pathway in pathways]
    if f"{name}.delay" in settable or any(re.search(rf"\b{array}\b", main) for array in delays):
        return None
    paths = [code / f"{pathway.name}_codeobject.cpp" for pathway in pathways]
    if any(len(_ROWS.findall(path.read_text())) != 1 for path in paths):
        return False
    fits = True
    for pathway, path in zip(pathways, paths, strict=True):
        events = device.get_array_name(pathway.source.variables[pathway.eventspace_name], access_data=False)
        _rewrite(path, partial(_rows, side=pathway.prepost, events=events, n_pre=n_pre, n_post=n_post))
        for file, call in (("", "advance|push"), ("before_run_", "prepare")):
            no_call = partial(re.sub, rf"\n\s*\w+\.({call})\([^;]*\);", "")
            fits &= _rewrite(code / f"{file}{pathway.name}_push_spikes.cpp", no_call)
    used = rf"_ptr_array_{name}__synaptic_(pre|post)\["
    if not any(re.search(used, path.read_text()) for path in code.glob("*.cpp") if path != made[0]):
        fits &= _rewrite(made[0], lambda text: _no_indices(text, name, delays)) and "push_back(" not in made[0].read_text()
    return fits


_ALL = re.compile(r"(?:#pragma [^\n]*\n)?    for\(int _idx=0; _idx<_N; _idx\+\+\)\n")


def living_alone(folder: Path, synapses: Synapses, together: bool = False) -> bool | None:
    """What a pool does in each time step and at each update, for the living synapses alone: those in the lists of a pathway.

    Silent ones are left as they are by all of it: what they have but the weight begins anew when they come alive. First weights
    that are drawn are left alone, as silent synapses draw, too, where these come from; so are laws that say of each silent
    synapse how likely it comes alive. A law that draws for its living synapses (DEEP R) has other numbers than where the silent
    ones draw as well.
    """
    parts = getattr(synapses, "living_alone", ())
    lists = f"brian::{next(iter(synapses._pathways)).name}.queue[0]->synapses" if parts else ""
    told = []
    for part in parts:
        path = folder / "code_objects" / f"{synapses.name}_{part}_codeobject.cpp"
        if path.exists() and not (part == "birth" and "_rand" in path.read_text()):
            loop = f"    for (const auto &_list : {lists})\n    for (const int _idx : _list)\n"
            if together and part in _AT_UPDATES:
                loop = f"    for (const int _idx : _asked_{synapses.name}())\n"
            elif together:
                loop = f"    for (int _idx = 0; _idx < (int)_living_{synapses.name}.size(); _idx++)\n"
            told.append(len(_ALL.findall(path.read_text())) == 1 and _rewrite(path, partial(_ALL.sub, loop)))
    return all(told) if told else None


_AT_UPDATES = ("law", "settle", "past", "birth")  # what is named so goes on at updates of the structure, in the pool
_APART = re.compile(r"//// unless they lie together\n.*?//// to here\n", flags=re.DOTALL)
_RUN = re.compile(r"(?<=\n)void _run_\w+\(\)\n\{\n    using namespace brian;\n")
_SAVED = re.compile(r"(?<=\n)void _write_arrays\(\)\n\{\n    using namespace brian;\n")
_INDEXED = re.compile(r"\b(_ptr_array_\w+)\[_idx\]")
_SELDOM = 0.1  # of the time between updates: what goes on no more often may look at the pool in between
_TOGETHER = """
namespace brian {
std::vector<int32_t> _living_NAME;  // the number in the pool of each living synapse
@ARRAYS@
static bool _gathered_NAME = false;  // whether what they have is in these arrays, or in those of the pool
void _gather_NAME()
{
    if (_gathered_NAME) return;
    _gathered_NAME = true;
    const size_t n = _living_NAME.size();
@RESIZE@
    for (size_t c = 0; c < n; c++) {
        const size_t k = _living_NAME[c];
@GATHER@
    }
}
void _apart_NAME()
{
    if (!_gathered_NAME) return;
    _gathered_NAME = false;
    for (size_t c = 0; c < _living_NAME.size(); c++) {
        const size_t k = _living_NAME[c];
@APART@
    }
}
const std::vector<int32_t> &_asked_NAME()  // before the first update: all
{
    _apart_NAME();
    if (_living_NAME.empty())
        for (const auto &list : LISTS) _living_NAME.insert(_living_NAME.end(), list.begin(), list.end());
    return _living_NAME;
}
}
"""
_TOLD = """
namespace brian {
extern std::vector<int32_t> _living_NAME;
@ARRAYS@
void _gather_NAME();
void _apart_NAME();
const std::vector<int32_t> &_asked_NAME();
static const bool _together_NAME = true;
}
"""


def living_together(folder: Path, synapses: Synapses, network: brian2.Network, device: Any) -> bool | None:
    """The living synapses lie scattered among the silent ones of a pool, which come along when one is touched.

    From one update to the next what spikes, and what goes on in each time step, touches arrays of the living synapses alone.
    They are filled from those of the pool after an update, and written back before the next one, before whatever else looks at
    the pool, and at the end. Left as it is (None) where something else looks at the pool too often, or a spike at what is not
    moved, such as the delay.
    """
    if getattr(synapses, "structure", None) is None:
        return None
    name = synapses.name
    at_updates = {f"{name}_{part}_codeobject" for part in _AT_UPDATES}
    steps = {f"{name}_{part}_codeobject" for part in synapses.living_alone} - at_updates
    fast = steps | {f"{path.name}_codeobject" for path in synapses._pathways}
    clocks = {own.name: item.clock for item in network.sorted_objects if hasattr(item, "clock") for own in item.code_objects}
    every = float(clocks[f"{name}_law_codeobject"].dt)
    arrays = {
        device.get_array_name(variable, access_data=False)
        for key, variable in synapses.variables.items()
        if getattr(variable, "dynamic", False) and variable.owner.name == name
        and (key in ("_synaptic_pre", "_synaptic_post") or synapses.variables.indices[key] == "_idx")
    } - {device.get_array_name(path.variables["delay"], access_data=False) for path in synapses._pathways}  # fmt: skip
    touched = re.compile(rf"\b(?:{'|'.join(sorted(arrays))})\b")
    texts = {path: path.read_text() for path in sorted((folder / "code_objects").glob("*.cpp"))}
    looking = {path: text for path, text in texts.items() if touched.search(text) and not _BEFORE.search(path.stem)}
    others = {path.stem for path in looking} - at_updates - fast
    if any(stem in clocks and float(clocks[stem].dt) < _SELDOM * every for stem in others):
        return None
    objects, header = folder / "objects.cpp", folder / "objects.h"
    settle = folder / "code_objects" / f"{name}_settle_codeobject.cpp"
    types = {array: of for of, array in re.findall(r"extern std::vector<(\w+)> (\w+);", header.read_text())}
    if not (
        arrays <= types.keys()
        and len(_SAVED.findall(objects.read_text())) == len(_APART.findall(texts[settle])) == 1
        and all(len(_RUN.findall(text)) == 1 for text in looking.values())
        and all(len(_ALL.findall(text)) == (path.stem in steps) for path, text in looking.items() if path.stem in fast)
    ):
        return False
    alive = _pointer(device.get_array_name(synapses.variables["alive"], access_data=False))
    indexed = {array for path, text in looking.items() if path.stem in fast for array in _INDEXED.findall(text)}
    if indexed - {_pointer(array) for array in arrays}:
        return None  # something of each synapse that is not moved, such as its delay
    moved, changed = set(), set()
    for path, text in looking.items():
        call = "_gather" if path.stem in fast else "_apart"
        text = _RUN.sub(rf"\g<0>    {call}_{name}();\n", _APART.sub("", text))
        if path.stem in fast:
            text = text.replace(f"{alive}[_idx]", "true")  # that of a living synapse
            here = {array for array in touched.findall(text) if f"{_pointer(array)}[_idx]" in text}
            changed |= {array for array in here if re.search(rf"{_pointer(array)}\[_idx\] [-+*/]?= ", text)}
            moved |= here
            for array in here:
                text = re.sub(rf"\b{array}\b", f"_living{array}", text)
        path.write_text(text)
    given = {
        "ARRAYS": [f"std::vector<{types[array]}> _living{array};" for array in sorted(moved)],
        "RESIZE": [f"    _living{array}.resize(n);" for array in sorted(moved)],
        "GATHER": [f"        _living{array}[c] = {array}[k];" for array in sorted(moved)],
        "APART": [f"        {array}[k] = _living{array}[c];" for array in sorted(changed)],
    }
    lists = f"{next(iter(synapses._pathways)).name}.queue[0]->synapses"
    defined, told = _TOGETHER.replace("LISTS", lists).replace("NAME", name), _TOLD.replace("NAME", name)
    for word, lines in given.items():
        defined = defined.replace(f"@{word}@", "\n".join(lines))
        told = told.replace(f"@{word}@", "\n".join(f"extern {line}" for line in lines))
    _rewrite(objects, lambda text: _SAVED.sub(rf"\g<0>    _apart_{name}();\n", text) + defined)
    _rewrite(header, lambda text: f"{told}#endif".join(text.rsplit("#endif", 1)))
    return True


_BEFORE = re.compile("^before_run_|_synapses_create_")  # code that runs before any time step


def _pointer(array: str) -> str:
    """What the code of an object calls an array."""
    return "_ptr" + array.replace("_dynamic_array_", "_array_", 1)


def _rows(text: str, side: str, events: str, n_pre: int, n_post: int) -> str:
    own, other, n_own, n_other = ("pre", "post", n_pre, n_post) if side == "pre" else ("post", "pre", n_post, n_pre)

    def rows(found: re.Match[str]) -> str:
        body = re.sub(r"^\s*const int32_t _(?:pre|post)synaptic_idx = .*\n", "", found["body"], flags=re.MULTILINE)
        body = re.sub(r"_ptr_array_\w+__synaptic_(pre|post)\[_idx\]", r"_\1synaptic_idx", body)  # i and j in the text of a rule
        apart = "#pragma GCC ivdep\n" if _touches_only(body, "_idx", f"_{other}synaptic_idx") else ""
        return f"""    for (int32_t _event = 0; _event < brian::{events}[{n_own}]; _event++)
    {{
        const int32_t _{own}synaptic_idx = brian::{events}[_event];
{apart}        for (int32_t _{other}synaptic_idx = 0; _{other}synaptic_idx < {n_other}; _{other}synaptic_idx++)
        {{
            const size_t _idx = (size_t)_presynaptic_idx*{n_post} + _postsynaptic_idx;
{body}
        }}
    }}
    }}
"""

    return _ROWS.sub(rows, text)


def _no_indices(text: str, name: str, delays: list[str]) -> str:
    """Nothing looks them up any more: 8 bytes for each synapse, and 8 for each pathway's delay, are never filled."""
    text = re.sub(rf"\n\s*_dynamic_array_{name}__synaptic_(pre|post)\.(push_back|resize)\([^;]*\);", "", text)
    text = text.replace(f"newsize = _dynamic_array_{name}__synaptic_pre.size();", "newsize = _N_pre*_N_post;")
    for array in delays:
        text = re.sub(rf"\n\s*{array}\.resize\(newsize\);", "", text)
    return text


_FILE = re.compile(
    r"    ofstream outfile_\w+;\n    outfile_\w+\.open\(results_dir \+ \"(?P<file>\w+)\", .*?"
    r"    \} else\n    \{\n        std::cout << \"Error writing output file for \w+\.\" << endl;\n    \}\n",
    flags=re.DOTALL,
)
_STATE = re.compile(  # since Brian2 2.10
    r"    ofstream (?P<out>\w+);\n    (?P=out)\.open\(results_dir \+ \"\w+(?:_queue|_generator_state)\", ios::out\);\n"
    r"    if \((?P=out)\.is_open\(\)\) \{\n.*?\n    \} else \{\n[^\n]*\n    \}\n",
    flags=re.DOTALL,
)
_OPENED = re.compile(r"\.open\(results_dir \+ \"(\w+)\"")


def wanted_arrays(folder: Path, wanted: frozenset[str]) -> bool:
    """Brian2 writes every array of every object, and (since 2.10) what waits in its queues and the state of its generator."""
    path = folder / "objects.cpp"
    _rewrite(path, lambda text: _STATE.sub("", _FILE.sub(lambda found: found[0] if found["file"] in wanted else "", text)))
    return set(_OPENED.findall(path.read_text())) == wanted


HEADERS = "all.h"
_HEADER_RULE = f"{HEADERS}.gch: {HEADERS} makefile\n\t$(CXX) $(CXXFLAGS) -x c++-header {HEADERS} -o {HEADERS}.gch\n"
_FILE_RULE = f"%.o : %.cpp makefile {HEADERS}.gch\n\t$(CXX) $(CXXFLAGS) -include {HEADERS} $< -o $@"
_RULES = (  # what stands there, and what takes its place; of Brian2 2.9 and 2.10, and of 2.11
    {
        "$(PROGRAM): $(OBJS) $(DEPS) makefile\n": "$(PROGRAM): $(OBJS) makefile\n",
        "make.deps: $(SRCS) $(H_SRCS)\n\t$(CXX) $(CXXFLAGS) -MM $(SRCS) > make.deps\n": _HEADER_RULE,
        "%.o : %.cpp makefile\n\t$(CXX) $(CXXFLAGS) $< -o $@": _FILE_RULE,
    },
    {
        "%.o : %.cpp makefile\n\t$(CXX) $(CXXFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ $< -o $@": f"{_HEADER_RULE}\n{_FILE_RULE}",
    },
)


def headers_once(folder: Path) -> bool:
    """A precompiled header; and since nothing is ever compiled a second time, no list of what depends on what."""
    makefile = folder / "makefile"
    text = makefile.read_text()
    fitting = [rules for rules in _RULES if all(text.count(rule) == 1 for rule in rules)]
    if not fitting:
        return False
    for before, after in fitting[0].items():
        text = text.replace(before, after)
    makefile.write_text(text)
    own = ("objects.h", "brianlib/common_math.h", "brianlib/stdint_compat.h", "synapses_classes.h")
    system = "chrono climits cmath csignal cstdlib cstring ctime fstream iostream map set thread vector".split()
    lines = [f'#include "{name}"' for name in own if (folder / name).exists()] + [f"#include <{name}>" for name in system]
    (folder / HEADERS).write_text("\n".join(lines) + "\n")
    return True
