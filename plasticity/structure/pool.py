"""A pool of synapses whose structure changes: what `Rule.synapses(structure=...)` puts beside them.

Brian2 keeps for each pathway, and each neuron that it begins at, the list of the synapses that a spike goes to. After each update
these lists hold the living synapses alone, so that a silent one is never looked at. What is on its way to a synapse that dies is
taken out of the queue. In compiled programs nothing looks at the silent ones between updates; an update goes through the living
synapses, and through the silent ones where some of these come alive, or where the law says something else of each of them. On
Brian2's runtime targets updates, rules with a drift and clocked eligibilities go through the whole pool, and leave the silent
ones as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import NetworkOperation, NeuronGroup, Synapses, prefs
from brian2.core.functions import Function
from brian2.core.variables import DynamicArrayVariable
from brian2.devices.device import get_device, runtime_device

from plasticity.errors import WrongUse
from plasticity.structure.settle import CPP, settle

if TYPE_CHECKING:
    from plasticity.structure.law import Structure

ORDER = -30  # before everything else at the start of a time step


def attach(synapses: Synapses, structure: Structure, traces: Iterable[str], weights: Iterable[str]) -> NeuronGroup:
    """Let the structure of these synapses follow a law.

    Parameters
    ----------
    synapses : Synapses
        With the variables of `Law.equations`; not yet connected.
    structure : Structure
    traces : names
        Variables of a synapse that are 0 when it comes alive.
    weights : names
        Variables that do not change while it is silent.

    Returns
    -------
    NeuronGroup
        One cell named as the synapses with `_structure`: `updates`, how many there were; `key`, what the draws depend on; and the
        record, a number for each synapse that died or came alive: `log_update` (events,) and `log_synapse` (events,), k + 1 where
        synapse k of the pool came alive, -(k + 1) where it died.
    """
    law, every, name = structure.law, structure.every, synapses.name
    if not synapses._pathways:
        raise WrongUse(f"{name}: nothing happens at spikes, so that there is no structure to change; give transmit=.")
    for variable in weights:
        synapses.variables[variable].set_conditional_write(synapses.variables["alive"])
    for parameter, value in {"every": every, **law.parameters}.items():
        synapses.variables[parameter].set_value(np.asarray(value, dtype=float))
    cell = NeuronGroup(1, "updates : integer\nkey : integer", name=f"{name}_structure")
    for log in ("log_update", "log_synapse"):
        cell.variables.add_dynamic_array(log, size=0, dtype=np.int32)
    synapses.run_regularly(structure.text(), dt=every, when="start", order=ORDER, name=f"{name}_law")
    if get_device() is runtime_device:
        for path in synapses._pathways:
            path.queue = get_device().spike_queue(path.source.start, _nobody(path) + 1)
            path.variables._variables["_queue"] = path.queue
            path.initialise_queue = partial(_initialised, path, path.initialise_queue, synapses)
        operation = NetworkOperation(lambda: _update(synapses, cell, law.kept), dt=every, when="start", order=ORDER + 1)
        synapses.contained_objects.append(operation)
    else:
        if prefs.devices.cpp_standalone.openmp_threads:
            raise WrongUse("structure= needs one thread; set prefs.devices.cpp_standalone.openmp_threads = 0.")
        cell.namespace["structure_settle"] = _compiled(synapses, cell, structure)
        cell.run_regularly(
            "updates = int(structure_settle(updates))", dt=every, when="start", order=ORDER + 1, name=f"{name}_settle"
        )
    synapses.run_regularly("past = past + 1", dt=every, when="start", order=ORDER + 2, name=f"{name}_past")
    kept = {"lastupdate": "t"} if "lastupdate" in synapses.variables else {}
    born = dict(assignments(law.born))
    if "w" in born and "w_max" in synapses.variables:
        born["w"] = f"clip({born['w']}, w_min, w_max)"
    first = {**dict.fromkeys(traces, "0"), **kept, **born}
    drawn = {
        variable: f"first_{variable}" for variable, value in first.items() if "rand" in value
    }  # before what depends on `fresh`
    lines = [f"{name} = {first[variable]}" for variable, name in drawn.items()]
    for variable, value in first.items():
        lines.append(f"{variable} = int(fresh)*({drawn.get(variable, value)}) + int(not fresh)*{variable}")
    birth = "\n".join(lines)
    if birth:
        synapses.run_regularly(birth, dt=every, when="start", order=ORDER + 2, name=f"{name}_birth")
    synapses.contained_objects.append(cell)
    return cell


def assignments(text: str) -> Iterable[tuple[str, str]]:
    """(variable, expression) of lines `variable = expression`; WrongUse for other ones."""
    for line in filter(None, (line.strip() for line in text.splitlines())):
        variable, equals, value = line.partition("=")
        if not (equals and variable.strip().isidentifier()):
            raise WrongUse(f"a law says {line!r}; write it like 'w = w_new'.")
        yield variable.strip(), value.strip()


def _nobody(path: Any) -> int:
    """A number that no neuron at the beginning of a pathway has: the silent synapses belong to it."""
    source = path.source
    while hasattr(source, "source"):
        source = source.source
    return int(max(source.stop, path.source.stop))


def _update(synapses: Synapses, cell: NeuronGroup, kept: bool) -> None:
    """An update on Brian2's runtime targets; the first one of a run that begins anew only links what is alive."""
    value = {
        variable: synapses.variables[variable].get_value() for variable in ("alive", "fresh", "_synaptic_pre", "_synaptic_post")
    }
    alive, update = value["alive"], int(cell.variables["updates"].get_value()[0])
    value["fresh"][:] = False
    died = np.zeros(len(alive), dtype=bool)
    if update:
        law = {name: synapses.variables[name].get_value() for name in synapses.variables if name.startswith("law_")}
        if "law_grows" in law:
            law["law_grows"] = np.broadcast_to(law["law_grows"], len(alive))
        key = int(cell.variables["key"].get_value()[0]) % 2**64  # as C++ reads a negative one
        found = settle(alive.astype(bool), law, value["_synaptic_pre"], value["_synaptic_post"], kept, key, update)
        died[found.died] = True
        alive[found.died], alive[found.born], value["fresh"][found.born] = False, True, True
        events = np.concatenate([-(found.died + 1), found.born + 1]).astype(np.int32)
        _extend(cell.variables["log_synapse"], events)
        _extend(cell.variables["log_update"], np.full(len(events), update, dtype=np.int32))
    cell.variables["updates"].get_value()[0] = update + 1
    for path in synapses._pathways:
        _link(path, synapses)
        if died.any():
            offset, waiting = path.queue._full_state()
            path.queue._restore_from_full_state((offset, [[k for k in slot if not died[k]] for slot in waiting]))


def _initialised(path: Any, initialise: Callable[[], None], synapses: Synapses) -> None:
    """What Brian2 does to a queue when a run begins, or goes on."""
    initialise()
    _link(path, synapses)


def _link(path: Any, synapses: Synapses) -> None:
    """Let spikes find the living synapses alone."""
    sources = np.where(synapses.variables["alive"].get_value(), path.synapse_sources.get_value(), _nobody(path)).astype(np.int32)
    path.queue.prepare(path._delays.get_value(), path.source.clock.dt_, sources)


def _extend(variable: DynamicArrayVariable, values: np.ndarray) -> None:
    before = len(variable.get_value())
    variable.resize(before + len(values))
    variable.get_value()[before:] = values


def _compiled(synapses: Synapses, cell: NeuronGroup, structure: Structure) -> Function:
    """The update as a function of C++ for Brian2's standalone device."""
    law = structure.law
    has = law.computed()

    def of(variable: str) -> str:
        return f"_dynamic_array_{synapses.name}_{variable}"

    given = {
        "PRE": of("_synaptic_pre"), "POST": of("_synaptic_post"), "ALIVE": of("alive"), "FRESH": of("fresh"),
        "DIES": _DIES.replace("VALUE", of("law_dies")) if "law_dies" in has else "",
        "WEAKEST": _WEAKEST.replace("RANK", of("law_rank")).replace("SHARE", f"_array_{synapses.name}_law_share[0]")
        if "law_share" in has else "",
        "SURPLUS": "".join(
            _SURPLUS.replace("SIDE", of(f"_synaptic_{side}")).replace("HAVE", of(f"law_{have}")).replace("STREAM", stream)
            for side, have, stream in (("pre", "axons", "3"), ("post", "dendrites", "4"))
        ) if law.elements else "",
        "GROWN": (_KEPT if law.kept else _PAIRED if law.elements else _GROWS if law.grows else "")
        .replace("CUT", "cut" if structure.uniform else "-1").replace("IF ", "if (GROWS[k] > 0) " if structure.uniform else "")
        .replace("GROWS[k]", f"_array_{synapses.name}_law_grows[0]" if structure.uniform else "GROWS[k]")
        .replace("GROWS", of("law_grows")).replace("HAVE_PRE", of("law_axons")).replace("HAVE_POST", of("law_dendrites"))
        .replace("PRE_", of("_synaptic_pre")).replace("POST_", of("_synaptic_post")),
        "SOURCES": of(f"_synaptic_{next(iter(synapses._pathways)).prepost}"),
        "ELEMENTS": "for (size_t k = 0; k < n; k++) if (dying[k]) dead.push_back((int64_t)k);" if law.elements else "",
        "LINKS": "".join(
            _LINK.replace("PATH_SOURCES", of(f"_synaptic_{path.prepost}")).replace("PATH", path.name)
            for path in synapses._pathways
        ),
        "S": synapses.name, "G": cell.name,
    }  # fmt: skip
    code = CPP + _SETTLE
    for word, text in given.items():
        code = code.replace(f"@{word}@", text)
    made = Function(_never, arg_units=[1], return_unit=1, auto_vectorise=False, stateless=False)
    headers = ["<algorithm>", "<cstdint>", "<cmath>", "<vector>"]
    made.implementations.add_implementation("cpp", code, name="structure_settle", compiler_kwds={"headers": headers})
    return made


def _never(updates: Any) -> Any:
    """What stands in Python for the function of C++; Brian2's runtime targets have `_update` instead, and never call it."""
    raise NotImplementedError("the update of a structure as a function is for Brian2's standalone device")


_SETTLE = r"""
//// unless they lie together
static std::vector<int32_t> _living_@S@;  // the living synapses in the order of the neurons that the first pathway begins at
static const bool _together_@S@ = false;  // whether pathways know a synapse by its place among those, or by its number
//// to here
static double structure_settle(double)
{
    using namespace brian;
    auto &alive = @ALIVE@;
    auto &fresh = @FRESH@;
    auto &living = _living_@S@;
    const size_t n = alive.size();
    const uint64_t key = (uint64_t)(int64_t)_array_@G@_key[0], update = (uint64_t)_array_@G@_updates[0];
    const auto before = [](int32_t a, int32_t b) { return std::make_pair(@SOURCES@[a], a) < std::make_pair(@SOURCES@[b], b); };
    static const bool in_order = std::is_sorted(@SOURCES@.begin(), @SOURCES@.end());
    static bool linked = false;
    const bool first = !linked;
    linked = true;
    if (first) {
        living.clear();
        for (size_t k = 0; k < n; k++) if (alive[k]) living.push_back((int32_t)k);
        if (!in_order) std::sort(living.begin(), living.end(), before);
    }
    std::fill(fresh.begin(), fresh.end(), 0);
    std::vector<char> dying(n, 0);
    std::vector<int64_t> dead, born;
    if (update > 0) {
        @DIES@
        @WEAKEST@
        @SURPLUS@
        @ELEMENTS@
        const size_t died = dead.size();
        @GROWN@
        std::sort(dead.begin(), dead.end());
        std::sort(born.begin(), born.end());
        for (int64_t k : dead) { alive[k] = 0; _dynamic_array_@G@_log_synapse.push_back(-(int32_t)(k + 1)); }
        for (int64_t k : born) { alive[k] = 1; fresh[k] = 1; _dynamic_array_@G@_log_synapse.push_back((int32_t)(k + 1)); }
        _dynamic_array_@G@_log_update.resize(_dynamic_array_@G@_log_synapse.size(), (int32_t)update);
    }
    if (first || dead.size() || born.size()) {
        const std::vector<int32_t> until_now = living;
        std::vector<int32_t> come(born.begin(), born.end()), stay;
        for (int32_t k : until_now) if (!dying[k]) stay.push_back(k);
        if (!in_order) std::sort(come.begin(), come.end(), before);
        living.clear();
        std::merge(stay.begin(), stay.end(), come.begin(), come.end(), std::back_inserter(living), before);
        @LINKS@
    }
    return (double)(update + 1);
}
"""
_LINK = r"""
        {
            CSpikeQueue &queue = *PATH.queue[0];
            for (auto &list : queue.synapses) list.clear();
            for (size_t c = 0; c < living.size(); c++)
                queue.synapses[PATH_SOURCES[living[c]] - queue.source_start].push_back(_together_@S@ ? (int)c : (int)living[c]);
            if (!in_order)
                for (auto &list : queue.synapses)
                    std::sort(list.begin(), list.end(), [&](int a, int b) {
                        return _together_@S@ ? living[a] < living[b] : a < b;
                    });
            if (!first)
                for (auto &slot : queue.queue) {  // what is on its way, to those that have not died
                    size_t left = 0;
                    for (int32_t number : slot) {
                        const int32_t k = _together_@S@ ? until_now[number] : number;
                        if (!dying[k])
                            slot[left++] = _together_@S@
                                ? (int32_t)(std::lower_bound(living.begin(), living.end(), k, before) - living.begin()) : k;
                    }
                    slot.resize(left);
                }
            if (_together_@S@ && !queue.scalar_delay) {
                static const std::vector<int> delays(queue.delays, queue.delays + n);
                for (size_t c = 0; c < living.size(); c++) queue.delays[c] = delays[living[c]];
            }
        }
"""
_DIES = r"""
        for (int32_t k : living)
            if (VALUE[k] > 0 && _structure_uniform(key, update, k, 1) < VALUE[k]) { dying[k] = 1; dead.push_back(k); }
"""
_WEAKEST = r"""
        {
            const int64_t gone = (int64_t)dead.size();
            std::vector<std::pair<std::pair<double, double>, int64_t> > ranked;
            for (int32_t k : living)
                if (!dying[k]) ranked.push_back({{(double)RANK[k], _structure_uniform(key, update, k, 1)}, (int64_t)k});
            const int64_t fewer = std::max((int64_t)std::floor((double)SHARE * living.size() + 1e-9) - gone, (int64_t)0);
            std::sort(ranked.begin(), ranked.end());
            for (int64_t m = 0; m < std::min(fewer, (int64_t)ranked.size()); m++) {
                dying[ranked[m].second] = 1;
                dead.push_back(ranked[m].second);
            }
        }
"""
_SURPLUS = r"""
        {
            std::vector<std::vector<std::pair<double, int64_t> > > owned;
            std::vector<int64_t> have;
            for (size_t k = 0; k < n; k++) {
                const size_t owner = (size_t)SIDE[k];
                if (owner >= have.size()) { have.resize(owner + 1, 0); owned.resize(owner + 1); }
                have[owner] = (int64_t)std::floor(std::max((double)HAVE[k], 0.0));
                if (alive[k] && !dying[k]) owned[owner].push_back({_structure_uniform(key, update, k, STREAM), (int64_t)k});
            }
            for (size_t owner = 0; owner < have.size(); owner++) {
                std::sort(owned[owner].begin(), owned[owner].end());
                const int64_t surplus = (int64_t)owned[owner].size() - have[owner];
                for (int64_t m = 0; m < surplus; m++) dying[owned[owner][m].second] = 1;
            }
        }
"""
_GROWS = r"""
        IF for (size_t k = 0; k < n; k++)
            if (!alive[k] && _structure_uniform(key, update, k, 2) < GROWS[k]) born.push_back((int64_t)k);
"""
_KEPT = r"""
        if (died) {
            // the first of a race among all that are silent are almost surely among a few that begin well
            double cut = 1 - std::min(1.0, 4.0 * (died + 25.0) / (double)(n - living.size() + died));
            std::vector<std::pair<double, int64_t> > silent;
            for (int turn = 0; turn < 2 && silent.size() < died; turn++, cut = -1) {
                silent.clear();
                for (size_t k = 0; k < n; k++)
                    if ((!alive[k] || dying[k]) && GROWS[k] > 0) {
                        const double u = _structure_uniform(key, update, k, 2);
                        if (u > CUT) silent.push_back({-std::log(u) / (double)GROWS[k], (int64_t)k});
                    }
            }
            const size_t some = std::min(died, silent.size());
            std::partial_sort(silent.begin(), silent.begin() + some, silent.end());
            for (size_t m = 0; m < some; m++) born.push_back(silent[m].second);
        }
"""
_PAIRED = r"""
        {
            std::vector<int64_t> free[2];
            for (int side = 0; side < 2; side++) {
                std::vector<int64_t> vacant;
                for (size_t k = 0; k < n; k++) {
                    const size_t owner = side ? POST_[k] : PRE_[k];
                    if (owner >= vacant.size()) vacant.resize(owner + 1, 0);
                }
                std::vector<int64_t> have(vacant.size(), 0);
                for (size_t k = 0; k < n; k++) {
                    const size_t owner = side ? POST_[k] : PRE_[k];
                    have[owner] = (int64_t)std::floor(std::max((double)(side ? HAVE_POST[k] : HAVE_PRE[k]), 0.0));
                    if (alive[k] && !dying[k]) vacant[owner]--;
                }
                std::vector<std::pair<double, int64_t> > order;
                std::vector<int64_t> owners;
                for (size_t owner = 0; owner < vacant.size(); owner++)
                    for (int64_t m = vacant[owner] + have[owner]; m > 0; m--) {
                        order.push_back({_structure_uniform(key, update, n + owners.size(), 3 + side), (int64_t)owners.size()});
                        owners.push_back((int64_t)owner);
                    }
                std::sort(order.begin(), order.end());
                for (auto &one : order) free[side].push_back(owners[one.second]);
            }
            static std::vector<std::pair<uint64_t, int64_t> > pool;  // by pre, post and number, once
            if (pool.empty()) {
                for (size_t k = 0; k < n; k++) pool.push_back({((uint64_t)PRE_[k] << 32) | (uint64_t)POST_[k], (int64_t)k});
                std::sort(pool.begin(), pool.end());
            }
            std::vector<char> taken(n, 0);
            const size_t pairs = std::min(free[0].size(), free[1].size());
            for (size_t m = 0; m < pairs; m++) {
                const uint64_t pair = ((uint64_t)free[0][m] << 32) | (uint64_t)free[1][m];
                auto found = std::lower_bound(pool.begin(), pool.end(), std::make_pair(pair, (int64_t)0));
                while (found != pool.end() && found->first == pair && (alive[found->second] || taken[found->second])) ++found;
                if (found == pool.end() || found->first != pair) continue;
                const int64_t k = found->second;
                if (_structure_uniform(key, update, m, 5) < (double)GROWS[k]) { born.push_back(k); taken[k] = 1; }
            }
        }
"""
