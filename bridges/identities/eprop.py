"""Learning through time: e-prop with the total learning signal is backprop through time (I11)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bridges.identities.identity import Identity, difference, fitting
from plasticity.checked import checked


@checked
@dataclass(frozen=True)
class Recurrent:
    """A recurrent network of leaky and adaptive integrate-and-fire neurons with a leaky readout; time in steps of 1 ms.

    a_t = rho a_{t-1} + z_{t-1}
    v_t = alpha v_{t-1} + W (x_t, z_{t-1}) - v_th z_{t-1}        (reset; no neuron excites itself)
    z_t = 1 where v_t > A_t = v_th + beta a_t, and 0 in the `refractory` - 1 steps after a spike
    y_t = alpha y_{t-1} + W_out z_t,    E = 1/2 sum over t of |y_t - y*_t|^2

    alpha = exp(-1/tau_v), rho = exp(-1/tau_a); beta is 0 for the first `lif` neurons. In place of the derivative of the
    step stands psi_t = (damping/v_th) max(0, 1 - |v_t - A_t|/v_th), and 0 while the neuron is refractory. Time constants in
    ms; v, a and weights without unit. The values are those with which Bellec et al. 2020 check their factorisation in their
    public code.

    Attributes
    ----------
    x : array (steps, inputs)
        Input spikes, 0 or 1.
    W : array (neurons, inputs + neurons)
        Input weights, then recurrent weights.
    W_out : array (outputs, neurons)
    target : array (steps, outputs)
        y*.
    """

    x: np.ndarray
    W: np.ndarray
    W_out: np.ndarray
    target: np.ndarray
    lif: int = 4
    tau_v: float = 20.0
    tau_a: float = 500.0
    threshold: float = 0.62
    beta: float = 0.07
    damping: float = 0.3
    refractory: int = 2

    @classmethod
    def draw(cls, rng: np.random.Generator, steps: int = 50, inputs: int = 3, neurons: int = 8) -> Recurrent:
        """Random weights, input at 100 Hz, a random target."""
        W = np.hstack([
            rng.normal(size=(neurons, inputs)) / math.sqrt(inputs), rng.normal(size=(neurons, neurons)) / math.sqrt(neurons),
        ])  # fmt: skip
        x = (rng.random((steps, inputs)) < 0.1).astype(float)
        return cls(x, W, rng.normal(size=(2, neurons)), rng.normal(size=(steps, 2)))

    @property
    def connected(self) -> np.ndarray:
        """1 where there is a synapse, 0 from a neuron to itself; the shape of W."""
        neurons, inputs = len(self.W), self.x.shape[1]
        return np.hstack([np.ones((neurons, inputs)), 1 - np.eye(neurons)])

    @property
    def betas(self) -> np.ndarray:
        """beta of each neuron."""
        return np.where(np.arange(len(self.W)) < self.lif, 0.0, self.beta)


@fitting
def eligibility(net: Recurrent) -> tuple[np.ndarray, np.ndarray]:
    """Spikes z (steps, neurons) and eligibility traces e (steps, neurons, inputs + neurons), forward in time and local, in NumPy.

    Each synapse keeps two numbers, the derivatives of v and of a by its weight along the paths inside its own neuron:

        eps_a_t = rho eps_a_{t-1} + psi_{t-1} (eps_v_{t-1} - beta eps_a_{t-1})
        eps_v_t = alpha eps_v_{t-1} + (x_t, z_{t-1})
        e_t = psi_t (eps_v_t - beta eps_a_t)

    Inside are the leak of v, the decay of a, and the step from a neuron's spike to its own adaptation. Not inside are the spike's
    effects by way of recurrent weights, of the reset, and of the readout: those belong to the learning signal (`bptt`).
    """
    alpha, rho, betas = math.exp(-1 / net.tau_v), math.exp(-1 / net.tau_a), net.betas
    W = net.W * net.connected
    neurons = len(W)
    v, a, z, psi, wait = (np.zeros(neurons) for _ in range(5))
    eps_v, eps_a = np.zeros_like(W), np.zeros_like(W)
    spikes, traces = [], []
    for x in net.x:
        eps_a = rho * eps_a + psi[:, None] * (eps_v - betas[:, None] * eps_a)
        eps_v = alpha * eps_v + np.concatenate([x, z])
        a = rho * a + z
        v = alpha * v + W @ np.concatenate([x, z]) - net.threshold * z
        above = (v - net.threshold - betas * a) / net.threshold
        free = wait == 0
        z = (above > 0) * free * 1.0
        psi = net.damping / net.threshold * np.maximum(0, 1 - np.abs(above)) * free
        wait = np.where(z > 0, net.refractory - 1, np.maximum(wait - 1, 0))
        spikes.append(z)
        traces.append(psi[:, None] * (eps_v - betas[:, None] * eps_a) * net.connected)
    return np.array(spikes), np.array(traces)


class _Spike(torch.autograd.Function):
    """The step, with damping max(0, 1 - |above|) in place of its derivative."""

    @staticmethod
    def forward(ctx: Any, above: torch.Tensor, damping: float) -> torch.Tensor:
        ctx.save_for_backward(above)
        ctx.damping = damping
        return (above > 0).to(above.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (above,) = ctx.saved_tensors
        return gradients[0] * ctx.damping * (1 - above.abs()).clamp(min=0), None


@fitting
def bptt(net: Recurrent, total: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The gradient dE/dW by autograd backwards through time, and the learning signal dE/dz_t (steps, neurons).

    The learning signal is the total derivative: z_t acts on E by the readout, and by recurrent weights and reset on everything
    later. A neuron's effect on its own adaptation runs through a copy of z_t, of the same value and the same pseudo-derivative:
    dE/dW has this path and dE/dz_t has not, since it is inside the eligibility trace; so each path counts once.

    Where not `total`, recurrent weights and reset pass no gradient: dE/dz_t is the direct effect by the readout alone, and
    dE/dW is the approximation that e-prop learns by.
    """
    alpha, rho = math.exp(-1 / net.tau_v), math.exp(-1 / net.tau_a)
    W = torch.from_numpy(net.W).requires_grad_()
    connected, betas, W_out = (torch.from_numpy(x) for x in (net.connected, net.betas, net.W_out))
    v = a = z = own = wait = torch.zeros(len(net.W), dtype=W.dtype)
    y, loss = torch.zeros(len(W_out), dtype=W.dtype), torch.zeros((), dtype=W.dtype)
    spikes = []
    for x, target in zip(torch.from_numpy(net.x), torch.from_numpy(net.target), strict=True):
        sent = z if total else z.detach()
        a = rho * a + own
        v = alpha * v + (W * connected) @ torch.cat([x, sent]) - net.threshold * sent
        above = (v - net.threshold - betas * a) / net.threshold
        free = (wait == 0).to(W.dtype)
        z, own = (_Spike.apply(above, net.damping) * free for _ in range(2))
        wait = torch.where(z.detach() > 0, net.refractory - 1.0, (wait - 1).clamp(min=0))
        y = alpha * y + W_out @ z
        loss = loss + 0.5 * (y - target).square().sum()
        spikes.append(z)
    gradient, *signals = torch.autograd.grad(loss, [W, *spikes])
    return gradient.numpy(), torch.stack(signals).numpy()


def _eprop(rng: np.random.Generator) -> float:
    net = Recurrent.draw(rng)
    gradient, signal = bptt(net)
    return difference(np.einsum("tj,tji->ji", signal, eligibility(net)[1]), gradient)


IDENTITIES = (
    Identity(
        "I11",
        "eligibility traces times the total learning signal are the gradient of backprop through time",
        1e-10,
        "Bellec et al. 2020, doi:10.1038/s41467-020-17236-y",
        _eprop,
    ),
)
