"""What a spiking network did: spikes counted in its simulation, and the arithmetic and memory traffic that they stand for.

A network says of each population what one neuron does in a time step and at a spike (`Population`), read off the text that
Brian2 compiles (`operations`). The compiled program counts the spikes. `CostModel.activity` multiplies the two:

    synapses    spikes x fan-out, an addition each: the synaptic operations. The fan-out is the whole factor: a spike that
                was counted is not multiplied by a rate or a probability once more.
    neurons     neurons x time steps, as a clock drives the simulation: their equations and thresholds; resets at spikes
    traces      what learning adds to these: traces of spikes, thresholds that adapt, changes of a rule that goes on all the time
    plasticity  weights that change at a spike (traces read, change computed, bounds, weight written), scaling of weights
    inputs      inputs x time steps: what the encoder does to find out whether an input fires, a random number each where it is
                drawn; and as `input_events` the same for inputs that are drawn from spike to spike instead
    routing     spikes x cores that they are delivered to: an address written into a queue, read from it, looked up

Traces and plasticity are counted where learning is on, and nothing for them where it is off. What is constant in a run is
folded, as a compiler or a chip would have it before the run: see `operations`.
"""

from __future__ import annotations

import ast
import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from plasticity.errors import PlasticityError, WrongUse

if TYPE_CHECKING:
    import numpy as np

    from plasticity.encoders import Encoder
    from plasticity.neurons import Neuron
    from plasticity.rules import Rule

LAND = "w = clip(w + dw, w_min, w_max)"  # where a change goes: hard bounds
COUNTER = ".spikes"  # ending of the outputs of a program that count spikes
CORE = 1024  # neurons of one core, to which a spike is delivered once (Davies et al. 2018, doi:10.1109/MM.2018.112130359)


@dataclasses.dataclass(frozen=True)
class Operations:
    """How much arithmetic, and how many 32-bit words are read or written.

    Parameters
    ----------
    additions, multiplications : float
        A subtraction or comparison is an addition; a division, or a function such as exp, is a multiplication.
    weight_words, state_words : float
        Words of weights, and of all else (potentials, traces, activations); reads and writes together.
    sums : float
        Additions to a sum that other additions follow: a spike that arrives at a potential within a time step, a
        multiply-accumulate within a product of matrices. Where such partial sums stay in registers, they are no words.
    draws : float
        Random numbers.
    """

    additions: float = 0.0
    multiplications: float = 0.0
    weight_words: float = 0.0
    state_words: float = 0.0
    sums: float = 0.0
    draws: float = 0.0

    def __add__(self, other: Operations) -> Operations:
        return Operations(*(a + b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)))

    def __rmul__(self, times: float) -> Operations:
        return Operations(*(float(times) * a for a in dataclasses.astuple(self)))


def operations(text: str, states: Iterable[str] = (), zeros: Iterable[str] = ()) -> Operations:
    """What running this Brian2 text once takes, for one neuron or synapse.

    `+ -` and each comparison are additions, `* /` and each function multiplications, `clip` is two comparisons, `x**n` n - 1
    multiplications (one where n is no whole number); signs, `int`, `abs`, `and`, `or` and `not` are free. `w` is a weight;
    the variables in `states`, with `_pre` or `_post` behind them or not, are state: each is read once however often it
    appears, and written if it is assigned. `t`, `i` and what the text assigns change as well.

    All other names are constant: parameters and units, which need no memory. The constant factors of a product are one factor,
    the constant terms of a sum one term, and a function of constants is a constant: `dt*((rest - v + I)/tau_m)` is one
    subtraction and one multiplication by dt/tau_m. The names in `zeros` are 0, and what they multiply is left out; a line that
    adds nothing is not run.
    """
    return _folded(text, states, zeros).done


def summed(text: str, states: Iterable[str] = ()) -> Operations:
    """As `operations`, of a text that adds one of many numbers to a state: a partial sum."""
    return dataclasses.replace(operations(text, states), state_words=0.0, sums=1.0)


@dataclasses.dataclass
class _Text:
    """What became of a text: its operations, what it reads and assigns, and what it leaves at a 0 known before the run."""

    done: Operations
    read: set[str]
    written: set[str]
    zeros: set[str]


def _folded(text: str, states: Iterable[str], zeros: Iterable[str]) -> _Text:
    states, zeros, written, read = {*states} - {"w"}, {*zeros}, set[str](), set[str]()
    changing = {*states, "w", "t", "i"}
    additions = multiplications = 0
    for line in ast.parse("\n".join(line.strip() for line in text.splitlines())).body:
        assert isinstance(line, (ast.Expr, ast.Assign, ast.AugAssign)), ast.unparse(line)  # all that Brian2's text can hold
        found, name = _term(line.value, changing, zeros), ""
        if isinstance(line, ast.AugAssign):
            name = _bare(ast.unparse(line.target))
            if found.zero and isinstance(line.op, (ast.Add, ast.Sub)):
                continue
            zeros.discard(ast.unparse(line.target))
            read.add(name)
            additions += isinstance(line.op, (ast.Add, ast.Sub))
            multiplications += isinstance(line.op, (ast.Mult, ast.Div))
        elif isinstance(line, ast.Assign):
            name = _bare(ast.unparse(line.targets[0]))
            (zeros.add if found.zero else zeros.discard)(ast.unparse(line.targets[0]))
        if name:
            written.add(name)
            (changing.discard if found.constant and name not in states | {"w"} else changing.add)(name)
        additions, multiplications = additions + found.additions, multiplications + found.multiplications
        read |= found.read
    weight, state = (sum((name in read) + (name in written) for name in names) for names in ({"w"}, states))
    return _Text(Operations(additions, multiplications, weight, state), read, written, zeros)


@dataclasses.dataclass
class _Term:
    """A part of an expression: what it takes, what it reads, whether it is constant, and whether it is 0."""

    additions: int = 0
    multiplications: int = 0
    read: set[str] = dataclasses.field(default_factory=set)
    constant: bool = True
    zero: bool = False


def _term(node: ast.expr, changing: set[str], zeros: set[str]) -> _Term:
    if _is_zero(node, zeros):
        return _Term(zero=True)
    if isinstance(node, ast.Constant):
        return _Term()
    if isinstance(node, ast.Name):
        return _Term(read={_bare(node.id)}, constant=_bare(node.id) not in changing)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div, ast.Add, ast.Sub)):
        products = isinstance(node.op, (ast.Mult, ast.Div))
        parts = []
        for part, divides in _parts(node, (ast.Mult, ast.Div) if products else (ast.Add, ast.Sub)):
            found = _term(part, changing, zeros)
            if products and found.zero and not divides:
                return _Term(zero=True)
            parts += [found] if divides or not found.zero else []
        moving = [part for part in parts if not part.constant]
        folded = len(moving) + (len(moving) < len(parts))  # all constants together are one
        together = _together(parts, constant=not moving, zero=not parts)
        if products:
            together.multiplications += bool(moving) * (folded - 1)
        else:
            together.additions += bool(moving) * (folded - 1)
        return together
    parts = [_term(part, changing, zeros) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    if isinstance(node, ast.UnaryOp):
        return parts[0]
    if isinstance(node, ast.Call):
        parts = parts[1:]  # without the name of the function
        together = _together(parts, constant=bool(parts) and all(part.constant for part in parts))  # rand() is not constant
        if not together.constant:
            name = ast.unparse(node.func)
            together.additions += 2 * (name == "clip")
            together.multiplications += name not in ("clip", "int", "abs")
        return together
    together = _together(parts, constant=all(part.constant for part in parts))
    if not together.constant and isinstance(node, ast.Compare):
        together.additions += len(node.ops)
    if not together.constant and isinstance(node, ast.BinOp):  # a power
        power = getattr(node.right, "value", 0)
        together.multiplications += power - 1 if isinstance(power, int) and power > 1 else 1
    return together


def _is_zero(node: ast.expr, zeros: set[str]) -> bool:
    """Whether nothing but numbers and names that are 0 stands here, and comes to 0."""
    functions = {"sqrt": math.sqrt, "exp": math.exp, "abs": abs, "int": int, "clip": lambda x, low, high: min(max(x, low), high)}
    if not {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} <= zeros | {*functions}:
        return False
    try:
        known = {**functions, **dict.fromkeys(zeros, 0.0)}
        return bool(eval(compile(ast.Expression(node), "text", "eval"), {"__builtins__": {}}, known) == 0)
    except (ArithmeticError, ValueError):
        return False


def _parts(node: ast.expr, kinds: tuple[type[ast.operator], ...], divides: bool = False) -> list[tuple[ast.expr, bool]]:
    """Factors of a product, or terms of a sum, signs dropped; and of each whether it divides."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        return _parts(node.operand, kinds, divides)
    if isinstance(node, ast.BinOp) and isinstance(node.op, kinds):
        return _parts(node.left, kinds, divides) + _parts(node.right, kinds, divides != isinstance(node.op, ast.Div))
    return [(node, divides)]


def _together(parts: list[_Term], constant: bool, zero: bool = False) -> _Term:
    read = set[str]().union(*(part.read for part in parts))
    return _Term(sum(part.additions for part in parts), sum(part.multiplications for part in parts), read, constant, zero)


def _bare(name: str) -> str:
    return name.removesuffix("_pre").removesuffix("_post")


def _euler(equations: str) -> tuple[str, set[str]]:
    """An Euler step of each differential equation, as text, and the names of their variables."""
    from brian2 import Equations

    slopes = Equations(equations).get_substituted_expressions()
    return "\n".join(f"{name} += dt*({slope.code})" for name, slope in slopes), {name for name, _ in slopes}


@dataclasses.dataclass(frozen=True)
class Population:
    """What one population does.

    Parameters
    ----------
    neurons, fan_out : int
        How many, and at how many synapses each of their spikes arrives.
    own_weights : bool
        Each of these synapses has a weight, which must be read; otherwise one number serves all.
    step, spike : Operations
        Of one neuron, in each time step and at each of its spikes.
    encoding, event : Operations
        Of one input, in each time step; and at each spike where spikes are drawn one after another instead.
    trace_step, trace_spike : Operations
        What learning adds to these.
    updates : int
        How many weights change at each of its spikes while learning is on.
    update : Operations
        Of one such change.
    states : int
        Words that each neuron keeps, traces among them.
    """

    neurons: int
    fan_out: int
    own_weights: bool = False
    step: Operations = Operations()
    spike: Operations = Operations()
    encoding: Operations = Operations()
    event: Operations = Operations()
    trace_step: Operations = Operations()
    trace_spike: Operations = Operations()
    updates: int = 0
    update: Operations = Operations()
    states: int = 0

    @property
    def arrival(self) -> Operations:
        """A spike at one synapse: the weight is read and added to what the target sums up; constant factors are in the weight."""
        return Operations(additions=1, weight_words=float(self.own_weights), sums=1)

    @property
    def delivery(self) -> Operations:
        """A spike on its way to all its synapses: for each core there an address is written and read, and its entry looked up."""
        return Operations(state_words=3.0 * math.ceil(self.fan_out / CORE))


def inputs(neurons: int, fan_out: int, encoder: Encoder | None) -> Population:
    """So many inputs with this encoder, each of which reads its rate in each time step, as a probability where it is drawn.

    Without one they are a Poisson process drawn from spike to spike, each of which waits for its time: an interval takes a
    random number, its logarithm, a product and a sum. That is also `event` of an encoder that draws.
    """
    from brian2 import Equations

    interval = Operations(additions=1, multiplications=2, draws=1)
    if encoder is None:
        waiting = Operations(additions=1, state_words=1)
        return Population(neurons, fan_out, encoding=waiting, event=interval, spike=interval, states=2)
    states, drawn = {*Equations(encoder.equations).names}, encoder.threshold.count("rand()")
    asked = encoder.threshold.replace("rand()", "t").replace("since", "t")  # both change, and neither is kept in memory
    step = operations(f"{_euler(encoder.equations)[0]}\n{asked}", states) + Operations(state_words=1, draws=drawn)
    event = interval if drawn else Operations(additions=1)
    spike = operations(encoder.reset, states)
    return Population(neurons, fan_out, encoding=step, event=event, spike=spike, states=1 + len(states))


def population(
    neurons: int,
    fan_out: int,
    neuron: Neuron | None = None,
    equations: str = "",
    threshold: str = "",
    reset: str = "",
    switch: str = "",
) -> Population:
    """So many of these neurons, without synapses that learn; no neuron stands for a teacher, which is not counted.

    Parameters
    ----------
    equations, threshold, reset : str
        Further equations (that of the neuron's `I`, which is 0 otherwise), the condition of a spike where it is not the neuron's
        own, what else happens at a spike.
    switch : str
        A factor in these texts that is 0 where learning is off: what it multiplies is counted with the traces.
    """
    if neuron is None:
        return Population(neurons, fan_out)
    euler, states = _euler(f"{neuron.equations}\n{equations}")
    waits, waited = (f"t - lastspike >= {neuron.refractory}", "lastspike = t") if neuron.refractory else ("", "")
    step = "\n".join((euler, waits, threshold or neuron.threshold))
    spike = "\n".join((neuron.reset, reset, waited))
    zeros = _zeros(neuron) - {switch}
    if not any(line.partition("=")[0].strip() == "I" for line in equations.splitlines()):
        zeros.add("I")
    states |= {"v", "theta", "lastspike"}
    states &= _folded(step, states, zeros).written | _folded(spike, states, zeros).written  # what never changes is constant
    learns, rests = (
        [operations(text, states, others) for text in (step, spike)] for others in (zeros, zeros | ({switch} - {""}))
    )
    more = [on + (-1) * off for on, off in zip(learns, rests, strict=True)]
    return Population(
        neurons, fan_out, step=rests[0], spike=rests[1], trace_step=more[0], trace_spike=more[1], states=len(states)
    )


def learning(rule: Rule, side: str, of: Population, partners: int) -> Population:
    """The same population at the end of plastic synapses (`side` is "pre" or "post"), each neuron with so many of them.

    Traces lie on the neurons, weights land within hard bounds. A rule whose parameters make its change at this side 0 leaves the
    weights alone there, and a trace that no change reads is not kept.
    """
    equations, at_spike, _ = rule.neuron_traces(side)
    step, own = _euler(equations)
    kept = own & _read(rule)
    step, at_spike = ("\n".join(line for line in text.splitlines() if _target(line) in kept) for text in (step, at_spike))
    change = {"pre": rule.on_pre, "post": rule.on_post}[side]
    nothing = not change.strip() or "dw" in _folded(change, _remembered(rule), _zeros(rule)).zeros
    return dataclasses.replace(
        of,
        own_weights=of.own_weights or side == "pre",
        trace_step=of.trace_step + operations(step, own),
        trace_spike=of.trace_spike + operations(at_spike, own),
        updates=0 if nothing else partners,
        states=of.states + len(kept),
        update=operations(f"{change}\n{LAND}", _remembered(rule), _zeros(rule)),
    )


def _read(rule: Rule) -> set[str]:
    """What changes of weights, and traces of other spikes, read of a rule's traces."""
    texts = [rule.on_pre, rule.on_post, rule.drift, *rule.state.values()]
    return set[str]().union(
        *(_folded(text, _remembered(rule), _zeros(rule)).read for text in texts), *(t.reads() - {t.name} for t in rule.traces)
    )


def _target(line: str) -> str:
    """What a line assigns."""
    return _bare(line.partition("=")[0].strip(" +-*/"))


def drift(rule: Rule) -> Operations:
    """What a rule that changes weights all the time does at one synapse in a time step; nothing for rules of spikes alone."""
    lines = [f"{name} += dt*({text})" for name, text in rule.state.items()]
    lines += [rule.drift, LAND.replace("dw", "dw*dt")] if rule.drift.strip() else []
    return operations("\n".join(lines), _remembered(rule), _zeros(rule))


def _zeros(of: Neuron | Rule) -> set[str]:
    """Its parameters that are 0."""
    return {name for name, value in of.parameters.items() if float(value) == 0}


def _remembered(rule: Rule) -> set[str]:
    return {*(t.name for t in rule.traces), *rule.state, *map(_bare, rule.needs)}


@dataclasses.dataclass
class SpikeCounts:
    """Sums over runs of a program: trials, time steps, how often the weights were scaled, spikes of each population."""

    trials: int = 0
    steps: int = 0
    scalings: int = 0
    spikes: dict[str, int] = dataclasses.field(default_factory=dict)
    met: dict[str, float] = dataclasses.field(default_factory=dict)
    alive: float = 0.0

    def add(
        self, out: Mapping[str, np.ndarray], trials: int, steps: int, scalings: int,
        living: Mapping[str, np.ndarray] | None = None,
    ) -> None:  # fmt: skip
        """A run with these outputs: `relay.spikes` holds how often each neuron of `relay` fired.

        Where plastic synapses come and go `living` tells how many each neuron at either end of them has, its mean over the run:
        `met` sums spikes by how many of these they meet, `alive` trials by how many there are.
        """
        for group, number in (living or {}).items():
            self.met[group] = self.met.get(group, 0.0) + float(out[f"{group}{COUNTER}"] @ number)
        self.alive += trials * float(next(iter(living.values())).sum()) if living else 0.0
        self.trials, self.steps, self.scalings = self.trials + trials, self.steps + steps, self.scalings + scalings
        for name in (name for name in out if name.endswith(COUNTER)):
            group = name.removesuffix(COUNTER)
            self.spikes[group] = self.spikes.get(group, 0) + int(out[name].sum())


@dataclasses.dataclass(frozen=True)
class CostModel:
    """What a network is made of, for counting.

    Parameters
    ----------
    populations : dict
        By the name under which the program counts their spikes.
    plastic : int
        Synapses whose weights learning changes.
    drift : Operations
        Of one of them in each time step, while learning is on.
    scaling : Operations
        Of all of them together, each time that the weights are scaled.
    kept : int
        Words of state that each of them keeps besides its weight.
    """

    populations: dict[str, Population]
    plastic: int
    drift: Operations
    scaling: Operations
    kept: int = 0

    def activity(self, counts: SpikeCounts, learning: bool) -> dict[str, Any]:
        """What happened in a trial, means over the trials that were counted, as plain numbers.

        Of plastic synapses that come and go the living ones count, each with the address of its target: a word that is kept with
        the weight, and read where a spike arrives.

        Returns
        -------
        dict
            `trials` (how many the means are over), `steps` (time steps in a trial); by population `neurons`, `fan_out`,
            `synapses` (that lead away from it), `spikes`; `synaptic_operations` (spikes x fan-out), `weight_updates` (at
            spikes), `weights_scaled`, `neuron_steps` (neurons x time steps); `operations`, a dictionary of `Operations` as
            numbers for each of the kinds of work above; and `stored`, words of weights and of states.
        """
        trials = max(counts.trials, 1)
        steps, scalings = counts.steps / trials, learning * counts.scalings / trials
        spikes = {name: counts.spikes.get(name, 0) / trials for name in self.populations}
        found = dict.fromkeys(KINDS, Operations())
        updates = neuron_steps = 0.0
        alive = counts.alive / trials if counts.met else float(self.plastic)
        share, address = alive / self.plastic if counts.met else 1.0, Operations(weight_words=float(bool(counts.met)))
        fan_out: dict[str, float] = {name: group.fan_out for name, group in self.populations.items()}
        for name, group in self.populations.items():
            fired, ticks = spikes[name], steps * group.neurons
            plastic = group.own_weights or group.updates > 0
            met = counts.met[name] / trials if plastic and name in counts.met else None  # spikes with living synapses
            changed = fired * group.updates if met is None else met * bool(group.updates)
            if met is None or not group.own_weights:
                found["synapses"] += fired * group.fan_out * group.arrival
            else:
                fan_out[name] = share * group.fan_out
                found["synapses"] += met * (group.arrival + address)
            found["neurons"] += ticks * group.step + fired * group.spike
            found["inputs"] += ticks * group.encoding
            found["input_events"] += fired * group.event
            found["routing"] += fired * group.delivery
            neuron_steps += ticks * (group.step != Operations())
            if learning:
                found["traces"] += ticks * group.trace_step + fired * group.trace_spike
                found["plasticity"] += changed * group.update
                updates += changed
        if learning:
            found["traces"] += steps * share * self.plastic * self.drift
            found["plasticity"] += scalings * share * self.scaling
        groups = self.populations.items()
        return {
            "trials": counts.trials,
            "steps": steps,
            "neurons": {name: group.neurons for name, group in groups},
            "fan_out": fan_out,
            "synapses": {name: group.neurons * fan_out[name] for name, group in groups},
            "spikes": spikes,
            "synaptic_operations": found["synapses"].additions,
            "weight_updates": updates,
            "weights_scaled": scalings * share * self.plastic,
            "neuron_steps": neuron_steps,
            "operations": {kind: dataclasses.asdict(entry) for kind, entry in found.items()},
            "stored": {
                "weights": 2 * alive if counts.met else self.plastic,
                "states": sum(group.neurons * group.states for _, group in groups)
                + self.kept * (alive if counts.met else self.plastic),
            },
        }


def one_after_another(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """What `CostModel.activity` told of two phases of the same trials, as one; the sizes are those of the second."""
    added = ("steps", "synaptic_operations", "weight_updates", "weights_scaled", "neuron_steps")
    sums = {key: first[key] + second[key] for key in added}
    sums["spikes"] = {name: first["spikes"][name] + count for name, count in second["spikes"].items()}
    kinds = second["operations"].items()
    sums["operations"] = {
        kind: dataclasses.asdict(Operations(**first["operations"][kind]) + Operations(**done)) for kind, done in kinds
    }
    return {**second, **sums}


KINDS = ("synapses", "neurons", "traces", "plasticity", "inputs", "input_events", "routing")
PHASES = ("training", "decision", "once", "training_alone", "decision_together")
TOGETHER = 64  # decisions that read the weights together
COUNTED = ("synaptic_operations", "weight_updates", "neuron_steps")


@dataclasses.dataclass(frozen=True)
class Costs:
    """What one learner did for a training trial and for a decision, by kind of work.

    Joules follow from a table of prices: `bridges.comparison.energy.EnergyTable`.

    Parameters
    ----------
    side : str
        "spiking", "torch" or "control".
    training, decision : dict of Operations
        Of one training trial and of one decision on its own. Kinds of the spiking side: see above; of the torch side: forward,
        backward, update; of a control: forward. Empty where it is not counted.
    once : dict of Operations
        Once for all of training: naming the neurons of a network that learns without labels. Empty elsewhere.
    spikes : float or None
        In one decision, of all populations.
    uncounted : tuple of str
        Operations of PyTorch that no counter knows.
    training_alone, decision_together : dict of Operations
        Of a training trial that is a batch of its own, and of one of `TOGETHER` decisions that are a batch. Empty where a batch
        makes no difference: the weights of a spiking network are read at its spikes.
    stored : dict
        By phase the words of `weights` (in training with gradients and moments) and of `states` that must be kept at a time.
    counted : dict
        By phase what published chips have a price for: `spikes`, `synaptic_operations`, `weight_updates`, `neuron_steps`.
    """

    side: str
    training: Mapping[str, Operations]
    decision: Mapping[str, Operations]
    once: Mapping[str, Operations] = dataclasses.field(default_factory=dict)
    spikes: float | None = None
    uncounted: tuple[str, ...] = ()
    training_alone: Mapping[str, Operations] = dataclasses.field(default_factory=dict)
    decision_together: Mapping[str, Operations] = dataclasses.field(default_factory=dict)
    stored: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    counted: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)

    def phase(self, name: str) -> str:
        """The phase whose counts hold: a batch makes no difference where it has none of its own."""
        other = {"training_alone": "training", "decision_together": "decision"}
        return other[name] if name in other and self.side != "torch" else name

    def plain(self) -> dict[str, Any]:
        """As plain data for a record; `Costs.read` is the inverse."""
        return {**dataclasses.asdict(self), "uncounted": list(self.uncounted)}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Costs:
        """From what `plain` gave, so that another table of prices can be applied to a record.

        Raises
        ------
        PlasticityError
            Something else is in it: a record may be anybody's.
        """
        try:
            kinds = {phase: {kind: Operations(**done) for kind, done in told.get(phase, {}).items()} for phase in PHASES}
            numbers = [number for done in kinds.values() for one in done.values() for number in dataclasses.astuple(one)]
            numbers += [number for name in ("stored", "counted") for of in told.get(name, {}).values() for number in of.values()]
            uncounted = tuple(told["uncounted"])
            fits = all(isinstance(number, (int, float)) for number in numbers) and all(
                isinstance(name, str) for name in uncounted
            )
            side, spikes = told["side"], told["spikes"]
        except (AttributeError, KeyError, TypeError):
            fits = False
        if not fits:
            raise PlasticityError(
                "the costs in a record are no numbers of operations; run again, or restore the record from a copy."
            )
        return cls(
            side, **kinds, spikes=spikes, uncounted=uncounted, stored=told.get("stored", {}), counted=told.get("counted", {})
        )

    @classmethod
    def of_spiking(cls, activity: Mapping[str, Any]) -> Costs:
        """Of a spiking network, from its `activity_`: "training", "decision" and, where neurons are named afterwards, "naming".

        Raises
        ------
        WrongUse
            It has not decided anything yet.
        """
        if "decision" not in activity:
            raise WrongUse("this network has not decided anything yet, so that no spikes were counted; call predict(X) first.")

        def kinds(phase: str) -> dict[str, Operations]:
            return {kind: Operations(**done) for kind, done in activity.get(phase, {}).get("operations", {}).items()}

        shown = activity.get("naming", {}).get("trials", 0)
        once = {kind: shown * done for kind, done in kinds("naming").items()}
        phases = {"training": "training", "decision": "decision", "once": "naming"}
        told = {phase: activity[name] for phase, name in phases.items() if name in activity}
        fired = {phase: float(sum(entry["spikes"].values())) for phase, entry in told.items()}
        return cls(
            "spiking", kinds("training"), kinds("decision"), once, spikes=fired["decision"],
            stored={phase: dict(entry["stored"]) for phase, entry in told.items()},
            counted={
                phase: {key: (shown if phase == "once" else 1) * count for key, count in one.items()}
                for phase, one in ((p, {"spikes": fired[p], **{key: e[key] for key in COUNTED}}) for p, e in told.items())
            },
        )  # fmt: skip
