"""The spiking network that learns from reward, trained by gradient through time instead: same spikes in, same spikes out."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from bridges.models.backbone import MOST_UNITS, Model, masked_softmax
from plasticity.checked import Count, checked_but
from plasticity.errors import WrongUse
from plasticity.learners import SpikingBrainProp

STEEPNESS = 5.0
GOLDEN = (5**0.5 - 1) / 2  # multiples of it lie evenly between 0 and 1
DEAF = 2  # steps at the start of a trial in which the gains of the streams are not set yet


class _Integrate(torch.autograd.Function):
    """Spikes of leaky neurons that start half-way to the threshold, 1, and lose it at each spike, (n, steps, neurons).

    In each step v <- keep v; a spike where v >= 1; v <- v + drive - spike. The derivative of a spike is that of a fast sigmoid,
    1/(1 + STEEPNESS |v - 1|)^2, and none passes through the reset. One function for all steps, so that autograd keeps no graph of
    them: with g_t = dL/dv after step t, g_{t-1} = keep (g_t + dL/dspike_t derivative_t).

    Source: Zenke & Ganguli 2018, doi:10.1162/neco_a_01086; Neftci, Mostafa & Zenke 2019, doi:10.1109/MSP.2019.2931595.
    """

    @staticmethod
    def forward(ctx: Any, drive: Tensor, keep: float) -> Tensor:
        inward = drive.transpose(0, 1).contiguous()  # (steps, n, neurons)
        above = torch.empty_like(inward)
        v = torch.full_like(inward[0], 0.5)
        for now, left in zip(inward, above, strict=True):
            torch.mul(v, keep, out=left)
            v = left + now
            v -= (left >= 1).to(v.dtype)
        ctx.save_for_backward(above.sub_(1))
        ctx.keep = keep
        return (above >= 0).to(drive.dtype).transpose(0, 1)

    @staticmethod
    def backward(ctx: Any, *given: Tensor) -> tuple[Tensor, None]:
        (above,) = ctx.saved_tensors
        sent = given[0].transpose(0, 1) / (1 + STEEPNESS * above.abs()).square_()
        back = torch.zeros_like(sent)  # dL/dv after each step; nothing follows the last
        for step in range(len(sent) - 1, 0, -1):
            torch.add(back[step], sent[step], out=back[step - 1]).mul_(ctx.keep)
        return back.transpose(0, 1), None


class Spikes(NamedTuple):
    """Spikes of each layer from the lowest (trials, steps, neurons), and activities of the highest one (trials, neurons)."""

    layers: list[Tensor]
    activities: Tensor


class SurrogateTwin(Model):
    """`plasticity.networks.attention_gated` in PyTorch, trained by back-propagation through time with a surrogate gradient.

    Streams of evenly spaced spikes, times gains that the cue sets, drive a relay; leaky integrate-and-fire neurons follow, and
    units that add up what they get. With the weights of a trained `SpikingBrainProp` (`take_over`) and the same input spikes it
    fires the same spikes. The gains are `softmax(a[cue])`, a the parameter: positive, of sum 1, like those of the gate units.

    Source: Zenke & Ganguli 2018, doi:10.1162/neco_a_01086; Neftci, Mostafa & Zenke 2019, doi:10.1109/MSP.2019.2931595.
    """

    name = "surrogate_twin"
    summary = "the network of spiking_learned_gate, trained by back-propagation through time with a surrogate gradient"
    source = "Zenke & Ganguli 2018, doi:10.1162/neco_a_01086; Neftci, Mostafa & Zenke 2019, doi:10.1109/MSP.2019.2931595"
    settings = {"hidden": 400, "dropout": 0.5, "epochs": 60, "weight_decay": 0.0}
    cost = 60.0
    sums_to_one = True
    spikes, levels, tau_m_ms, trial_ms, dt_ms = 12.0, 8.0, 20.0, 50.0, 1.0  # as of SpikingBrainProp

    @checked_but("streams", "features", "classes", "hidden", "dropout", "query")
    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 400, dropout: float = 0.0, query: str = "cue",
        layers: Sequence[Count] = (),
    ) -> None:  # fmt: skip
        super().__init__(streams, features, classes, hidden, dropout, query)
        for number in layers:
            if number > MOST_UNITS:
                raise WrongUse(f"{self.name}: a layer of {number} units; give at most {MOST_UNITS}.")
        sizes = (features, *(tuple(map(int, layers)) or (hidden,)))
        self.maps: Sequence[nn.Linear] = nn.ModuleList(  # type: ignore[assignment]
            nn.Linear(n, m, bias=False) for n, m in zip(sizes[:-1], sizes[1:], strict=True)
        )
        self.drop = nn.Dropout(dropout)
        self.head: nn.Linear = nn.Linear(sizes[-1], classes, bias=False)
        self.ask(streams)
        nn.init.zeros_(self.query.weight)  # equal gains

    def standardise_by(self, stimulus: Tensor, mask: Tensor | None = None) -> None:
        """Intensities stay as they are; the first weights get the spread that suits their size."""
        length = stimulus.square().sum(dim=2).mean()
        with torch.no_grad():
            nn.init.normal_(self.maps[0].weight, std=float(torch.sqrt(2 / torch.clamp(length, min=1e-12))))

    def take_over(self, learner: Any) -> None:
        """The weights and times of a trained `plasticity.learners.SpikingBrainProp`.

        Raises
        ------
        WrongUse
            Another shape of network, or an encoder or cells, whose spikes this one cannot make.
        """
        if not isinstance(learner, SpikingBrainProp):
            raise WrongUse(f"{self.name} is the twin of SpikingBrainProp; a {type(learner).__name__} has another network.")
        check_is_fitted(learner, "weights_")
        if learner.encoder != "regular":
            raise WrongUse(f"{self.name} has no encoder {learner.encoder}; give a learner with encoder='regular'.")
        if learner.cells != "direct":
            raise WrongUse(f"{self.name} has no cells={learner.cells!r}; give a learner with cells='direct'.")
        shapes = [tuple(w.shape) for w in learner.weights_]
        own = [(layer.in_features, layer.out_features) for layer in (*self.maps, self.head)]
        if shapes != own:
            raise WrongUse(f"{self.name} has layers {own} and the learner {shapes}; make one of the same sizes.")
        if (learner.gate_weights_ is None) != (self.streams == 1):
            raise WrongUse(
                f"{self.name} has {self.streams} streams and the learner gate={learner.gate!r}; one stream has no gate."
            )
        for name in ("spikes", "levels", "tau_m_ms", "trial_ms", "dt_ms"):
            setattr(self, name, float(getattr(learner, name)))
        with torch.no_grad():
            for layer, w in zip((*self.maps, self.head), learner.weights_, strict=True):
                layer.weight.copy_(torch.as_tensor(w.T))
            if learner.gate_weights_ is not None:
                self.query.weight.copy_(torch.log(torch.as_tensor(np.maximum(learner.gate_weights_, 1e-300))))

    def hand_over(self, learner: Any) -> None:
        """The inverse: a fitted `SpikingBrainProp` of the same shape gets these weights; refuses what `take_over` refuses."""
        copy.deepcopy(self).take_over(learner)
        learner.weights_ = [layer.weight.detach().numpy().T.astype(float).copy() for layer in (*self.maps, self.head)]
        if learner.gate_weights_ is not None:
            learner.gate_weights_ = torch.softmax(self.query.weight.detach(), dim=1).numpy().astype(float)

    @property
    def steps(self) -> int:
        """Time steps of a trial."""
        return round(self.trial_ms / self.dt_ms)

    def encode(self, stimulus: Tensor) -> Tensor:
        """Evenly spaced spikes of intensities (n, streams, features): (n, steps, streams, features).

        From random phases while training; for decisions each feature has a phase of its own, the same in every trial and stream.
        """
        even = torch.arange(1, self.features + 1, dtype=stimulus.dtype, device=stimulus.device) * GOLDEN % 1
        phase = torch.rand_like(stimulus) if self.training else even.expand_as(stimulus)
        ticks = torch.arange(self.steps + 1, dtype=stimulus.dtype, device=stimulus.device)[None, :, None, None]
        return torch.diff(torch.floor(phase[:, None] + stimulus[:, None] * ticks * (self.spikes / self.steps)), dim=1)

    def fire(self, spikes: Tensor, gains: Tensor) -> Spikes:
        """All layers, for input spikes (n, steps, streams, features) and gains (n, streams)."""
        lowest = spikes[:, :, 0]
        if self.streams > 1:
            drive = (spikes * gains[:, None, :, None]).sum(dim=2)
            heard = torch.ones(self.steps, dtype=spikes.dtype, device=spikes.device)
            heard[:DEAF] = 0
            lowest = self._integrate(drive * heard[None, :, None], 1e7)
        layers = [lowest]
        for number, layer in enumerate(self.maps):
            size = self.levels / self.spikes if number == 0 else 1.0
            layers.append(self._integrate(size * layer(layers[-1]), self.tau_m_ms))
        until = self.steps - (len(self.maps) + 5)  # when actions are compared
        return Spikes(layers, layers[-1][:, :until].sum(dim=1) / self.levels)

    def _integrate(self, drive: Tensor, tau_ms: float) -> Tensor:
        spikes: Tensor = _Integrate.apply(drive, float(np.exp(-self.dt_ms / tau_ms)))
        return spikes

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """The gains of the streams, (n, streams)."""
        return masked_softmax(self.question(tokens, cue), self.attended(cue, mask))

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """Activities of the highest hidden layer, (n, hidden)."""
        activities: Tensor = self.drop(self.fire(self.encode(tokens), self.weights(tokens, cue, mask)).activities)
        return activities
