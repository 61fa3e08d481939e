"""Spiking AuGMEnT: memory units and synaptic tags, in episodes whose world is a table that the compiled program looks up.

    inputs    a bias, features, and what appears and disappears (on and off); one spike each at the start of a step
    units     regular ones add up what they get in a step, memory ones in the whole episode; a sigmoid of it is the rate at which
              they fire through a step; the first is a bias
    actions   add up the spikes of all units: the rewards to come that they predict; one is chosen
    world     a state for each network, whose table says what the chosen action leads to

A step of a network is a stretch of time in which it acts once. Many networks lie side by side in each group, with synapses of
their own. What happens in a step, one time step each:

    land      (at its very start) all weights change by the error of prediction times their tag, and tags fade
    send      the action chosen in the last step sends feedback, which reaches the units as attention
    tag       every synapse that took part in the last step gets a tag; at the end of an episode they are cleared
    move      the world goes on: state, reward; after the end of an episode the next begins
    look      inputs that have something to say fire, once; units start to fire
    weigh     no more spikes count; where the network explores, each action gets a random bonus (Gumbel's, so that the choice
              is drawn from the softmax of the values)
    compare   each action counts the actions that got more than itself
    choose    the action that is second to none fires
    judge     error of prediction: reward + gamma * what is predicted now - what was predicted

The tags are the eligibility of `plasticity.rules.attention_gated`: presynaptic count times attention times the slope of the unit,
y (1 - y) for y the share of the spikes that it could have fired. Feedback weights see the same changes as forward ones.

Source: Karamanis, Zambrano & Bohte 2018, doi:10.1007/978-3-030-01421-6_25 (spikes, another neuron); Rombouts, Bohte & Roelfsema
2015, doi:10.1371/journal.pcbi.1004060 (the same learning on rate units).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from brian2 import SpikeMonitor, linked_var, ms, second

from plasticity.checked import Time, checked
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network
from plasticity.rules import Eligibility, Landing, Rule
from plasticity.rules.attention_gated import attention_gated

__all__ = ["AugmentNetwork"]

MOST = 50.0  # no weight is larger
LAST = ("weigh", "compare", "choose", "judge")  # what happens at the end of a step; the rest at its start
FIRST = ("land", "send", "tag", "move", "look")
REMEMBERS = attention_gated(tau_count=1e6 * second, tau_active=1e6 * second)  # traces last until they are cleared


@checked
@dataclasses.dataclass(frozen=True)
class AugmentNetwork(Network):
    """Networks side by side, each with regular and memory units, in episodes of its own.

    Parameters
    ----------
    networks, features, actions : int
    regular, memory : int
        Units of each kind.
    states, starts : int
        The most states of the world, and of those in which an episode may begin.
    decay : float
        What is left of a tag after a step, lambda*gamma.
    offset : float
        Input at which a unit fires half of its spikes.
    rule : Rule
        Of all plastic synapses.
    step, dt : Quantity
        How long one step of a network lasts, and the time step.
    block : int
        The most steps in one run.

    Inputs per run: the world, `observation` (states, features; 0 or 1), `next_state`, `reward` (states, actions), `ends`
    (states), `start` (starts), `begins` (how many of these there are), `in_order` (1: each network takes them one after the
    other; 0: at random), `longest`; `learning` (networks; 0 or 1), `gamma`, `epsilon`, `most` (spikes of a unit in a step that
    fires all it can), `w_below`, `w_values`, `back_values` (in the order of `pairs`), `eta_below`, `eta_values`. Outputs: the
    weights; of each episode that ended `network`, `state` in which it ended, `begun`, in which it began, and the time `ended.t`;
    `choices.i`, `choices.t` of the actions that were chosen.
    """

    networks: int
    features: int
    actions: int
    regular: int
    memory: int
    states: int
    starts: int
    decay: float = 0.18
    offset: float = 2.5
    rule: Rule = REMEMBERS
    step: Time = dataclasses.field(default_factory=lambda: 50 * ms)
    dt: Time = dataclasses.field(default_factory=lambda: 1 * ms)
    block: int = 20_000

    def __post_init__(self) -> None:
        if self.ticks < 2 * len(FIRST + LAST):
            raise WrongUse(f"step={self.step} is too short for {len(FIRST + LAST)} phases of dt={self.dt}; give a longer one.")
        if not 0 < self.decay < 1:
            raise WrongUse(f"decay={self.decay:g} must lie between 0 and 1; it is lambda*gamma.")

    @property
    def ticks(self) -> int:
        """Time steps in a step of a network."""
        return round(float(self.step / self.dt))

    @property
    def firing(self) -> int:
        """Time steps in which units fire."""
        return self.ticks - len(FIRST) - len(LAST)

    @property
    def inputs(self) -> int:
        """Inputs of one network: the bias, features, on and off."""
        return 1 + 3 * self.features

    @property
    def units(self) -> int:
        """Units of one network: the bias, regular, memory."""
        return 1 + self.regular + self.memory

    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Ends of all synapses: `below` from inputs to units, `values` from units to actions, (synapses,) each.

        Within a network the synapses are those of bias and features onto regular units, presynaptic first, then of on and off
        onto memory units; of `values` bias, regular and memory units onto actions.
        """
        seen, changes = range(1 + self.features), range(1 + self.features, self.inputs)
        below = [(i, 1 + j) for i in seen for j in range(self.regular)]
        below += [(i, 1 + self.regular + j) for i in changes for j in range(self.memory)]
        values = [(i, j) for i in range(self.units) for j in range(self.actions)]

        def side_by_side(ends: list[int], size: int) -> np.ndarray:
            return (np.arange(self.networks)[:, None] * size + np.array(ends)).ravel()

        return (
            side_by_side([i for i, _ in below], self.inputs),
            side_by_side([j for _, j in below], self.units),
            side_by_side([i for i, _ in values], self.units),
            side_by_side([j for _, j in values], self.actions),
        )

    def _rules_at(self, group: str) -> Iterator[tuple[Rule, str]]:
        if group in ("inputs", "units"):
            yield self.rule, "pre"
        if group in ("units", "actions"):
            yield self.rule, "post"

    def at(self, phase: str) -> str:
        """The condition that a phase is due."""
        return f"(timestep(t, dt) % {self.ticks} == {(*FIRST, *[''] * self.firing, *LAST).index(phase)})"

    def build(self, net: Net) -> None:
        rows = {
            "observation": np.zeros((self.states, self.features)),
            "next_state": np.zeros((self.states, self.actions)),
            "reward": np.zeros((self.states, self.actions)),
            "ends": np.zeros(self.states),
            "start": np.zeros(self.starts),
        }
        tables = {name: net.table(name, values, 1 * second) for name, values in rows.items()}
        world = net.group(
            "world",
            self.networks,
            """state : 1
            begun : 1
            over : 1
            fresh : 1
            age : 1
            chosen : 1
            value : 1
            paid : 1
            before : 1
            delta : 1
            exploring : 1
            learning : 1
            gamma : 1 (shared, constant)
            epsilon : 1 (shared, constant)
            longest : 1 (shared, constant)
            begins : 1 (shared, constant)
            in_order : 1 (shared, constant)
            number : 1""",
            namespace=tables,
            threshold=f"{self.at('judge')} and (over > 0.5)",
            reset="age = -1",
            events={"move": self.at("move"), "judge": self.at("judge")},
        )
        world.over, world.age = 1, -1
        world.run_on_event(
            "move",
            """paid = reward(state*second, int(chosen))*(1 - over)
            fresh = over
            which = int(in_order > 0.5)*number + int(in_order < 0.5)*floor(rand()*begins)
            number += fresh
            drawn = start(which*second)
            state = int(fresh > 0.5)*drawn + int(fresh < 0.5)*next_state(state*second, int(chosen))
            begun = int(fresh > 0.5)*drawn + int(fresh < 0.5)*begun
            age += 1
            over = int(ends(state*second) + int(age >= longest) > 0.5)
            exploring = int(rand() < epsilon)
            chosen = 0
            value = 0""",
            when="resets",
        )
        world.run_on_event(
            "judge",
            """delta = learning*(paid + gamma*value*(1 - over) - before)
            before = value*(1 - over)""",
            when="before_synapses",
        )

        def of_world(group, size: int, *names: str) -> None:
            for name in names:
                setattr(group, name, linked_var(world, name, index=np.repeat(np.arange(self.networks), size)))

        def linked(*names: str) -> str:
            return "".join(f"\n{name} : 1 (linked)" for name in names)

        took_part = f"{self.at('tag')} and (learning > 0.5) and (over < 0.5) and (pre_count > 0.5)"
        learns = {"tag": took_part, "clear": f"{self.at('tag')} and (over > 0.5)"}
        inputs = net.group(
            "inputs",
            self.networks * self.inputs,
            f"""column : integer (constant)
            always : 1 (constant)
            level : 1 (constant)
            on : 1 (constant)
            off : 1 (constant)
            now : 1
            fires : 1{linked("state", "over", "fresh", "learning")}""",
            namespace=tables,
            threshold=f"{self.at('look')} and (fires > 0.5)",
            events={"move": self.at("move"), **learns},
        )
        of_world(inputs, self.inputs, "state", "over", "fresh", "learning")
        kinds = np.repeat(np.arange(4), [1, self.features, self.features, self.features])  # bias, features, on, off
        for kind, name in enumerate(("always", "level", "on", "off")):
            setattr(inputs, name, np.tile(kinds == kind, self.networks).astype(float))
        inputs.column = np.tile([0, *np.tile(np.arange(self.features), 3)], self.networks)
        inputs.run_on_event(
            "move",
            """was = now*(1 - fresh)
            now = observation(state*second, column)
            fires = always + level*now + on*clip(now - was, 0, 1) + off*clip(was - now, 0, 1)
            pre_count = pre_count*(on + off)*(1 - fresh)""",
            when="resets",
            order=1,  # once the world has moved
        )

        units = net.group(
            "units",
            self.networks * self.units,
            f"""dv/dt = top/(1 + exp({self.offset!r} - drive)) : 1
            drive : 1
            attention : 1
            delta : 1
            lasts : 1 (constant)
            bias : 1 (constant)
            most : 1 (shared, constant)
            top = most/({self.firing}*dt) : Hz (shared){linked("over", "fresh", "learning")}""",
            threshold=f"(v >= 1) and (timestep(t, dt) % {self.ticks} >= {len(FIRST)})"
            f" and (timestep(t, dt) % {self.ticks} < {self.ticks - len(LAST)})",
            reset="v -= 1",
            events={"look": self.at("look"), **learns},
            method="euler",
        )
        of_world(units, self.units, "over", "fresh", "learning")
        kinds = np.tile(np.repeat(np.arange(3), [1, self.regular, self.memory]), self.networks)  # bias, regular, memory
        units.bias, units.lasts = (kinds == 0).astype(float), (kinds == 2).astype(float)
        units.run_on_event(
            "look",
            """drive = drive*lasts*(1 - fresh) + 1000*bias
            v = rand()
            attention = 0
            delta = 0
            pre_count = 0
            post_active = 0""",
            when="before_synapses",
        )

        actions = net.group(
            "actions",
            self.networks * self.actions,
            f"v : 1\nkey : 1\nbeaten : 1\ndelta : 1{linked('exploring')}",
            threshold=f"{self.at('choose')} and (beaten < 0.5)",
            events={
                "send": f"{self.at('send')} and (post_active > 0.5)",
                **{phase: self.at(phase) for phase in ("look", "weigh", "compare")},
            },
        )
        of_world(actions, self.actions, "exploring")
        actions.run_on_event("look", "v = 0\nbeaten = 0\ndelta = 0\npost_active = 0", when="before_synapses")
        actions.run_on_event("weigh", "key = v - exploring*log(-log(rand()))", when="resets")
        net.wire(
            "compete", actions, actions,
            {"compare": "beaten_post += int(key_pre > key_post) + int(key_pre == key_post)*int(i < j)"},
            connect=f"i != j and int(i/{self.actions}) == int(j/{self.actions})", on_event={"compare": "compare"},
        )  # fmt: skip
        net.wire(
            "tell", actions, world, f"chosen_post += i % {self.actions}\nvalue_post += v_pre",
            connect=f"int(i/{self.actions}) == j",
        )  # fmt: skip

        for group, size in ((units, self.units), (actions, self.actions)):
            net.wire(
                f"broadcast_to_{group.name}", world, group, {"judge": "delta_post += delta_pre"}, connect=f"i == int(j/{size})",
                on_event={"judge": "judge"},
            )  # fmt: skip

        tau = -self.step / np.log(self.decay)
        landing = Landing(-MOST, MOST, eligibility=Eligibility(f"delta_post*{1 / float(self.step)!r}", tau, self.step))
        clear = {"clear": ("clear", "eligibility = 0")}
        pre_below, post_below, pre_values, post_values = self.pairs()
        share = "(pre_count_post/most_post)"
        below = net.learn(
            self.rule, inputs, units, name="below", transmit="drive_post += w", landing=landing, seen="tag", plastic="1",
            gate=f"attention_post*{share}*(1 - {share})", at_event=clear, connect={"i": pre_below, "j": post_below},
        )  # fmt: skip
        values = net.learn(
            self.rule, units, actions, name="values", transmit="v_post += w/most_pre", landing=landing, seen="tag", plastic="1",
            reciprocal="back", at_event=clear, at_post_event={"sent_back": ("send", "attention_pre += back")},
            connect={"i": pre_values, "j": post_values},
        )  # fmt: skip
        ended = net.add(SpikeMonitor(world, variables=["state", "begun"], name="ended"))
        choices = net.add(SpikeMonitor(actions, name="choices"))
        net.inputs({name: getattr(world, name) for name in ("learning", "gamma", "epsilon", "longest", "begins", "in_order")})
        net.inputs(most=units.most, w_below=below.w, w_values=values.w, back_values=values.back)
        net.inputs(eta_below=below.eta, eta_values=values.eta)
        net.outputs(w_below=below.w, w_values=values.w, back_values=values.back)
        net.outputs(network=ended.i, state=ended.state("state"), begun=ended.state("begun"))
        net.outputs({"ended.t": ended.t, "choices.i": choices.i, "choices.t": choices.t})
        net.lasts(self.block * self.step)
