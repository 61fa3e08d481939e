"""Structural laws on torch: masks by torch's conventions, the same laws and draws as on Brian2."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from brian2 import Hz
from torch import nn
from torch.nn.utils import prune

from bridges.sparse import Sparse
from plasticity.errors import PlasticityError, WrongUse
from plasticity.structure import LAWS, contacts, deep_r, magnitude_pruning, sparse_evolution


def net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 5))


def trained(law, alive=0.2, steps=60, seed=3, signs=True, every=1):
    """A net, its structure, and what was alive after each step."""
    made = net()
    sparse = Sparse([made[0], made[2]], law, alive, steps=every, signs=signs, seed=seed)
    optimiser = torch.optim.SGD(made.parameters(), lr=0.5, momentum=0.5)
    X, y = torch.randn(40, 30), torch.randint(5, (40,))
    masks = [sparse._mask(made[0]).copy()]
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(made(X), y).backward()
        optimiser.step()
        sparse.step(optimiser)
        masks.append(sparse._mask(made[0]).copy())
    return made, sparse, np.array(masks)


def test_masks_follow_the_conventions_of_torch():
    made, sparse, _ = trained(deep_r(decay=1e-3 * Hz))
    assert prune.is_pruned(made) and [name for name, _ in made[0].named_parameters()] == ["bias", "weight_orig"]
    assert sparse.alive == round(0.2 * 600) + round(0.2 * 100) and sparse.size == 700
    made.eval()
    X = torch.randn(4, 30)
    before = made(X)
    torch.testing.assert_close(made[0].weight, made[0].weight_orig * made[0].weight_mask, rtol=0, atol=0)
    for module in (made[0], made[2]):
        prune.remove(module, "weight")
    torch.testing.assert_close(made(X), before, rtol=0, atol=0)
    assert not prune.is_pruned(made) and (made[0].weight != 0).sum() <= 120


def test_of_deep_r_as_many_live_after_each_step_others_do_and_signs_stay():
    made, sparse, masks = trained(deep_r(decay=2e-3 * Hz, temperature=1e-6 * Hz))
    assert (masks.sum(axis=1) == 120).all() and sparse.born == sparse.died and sum(sparse.born) > 10
    assert (masks[0] != masks[-1]).any()
    assert (sparse._values(made[0]) * sparse._signs[0] >= 0).all()


def test_what_is_silent_transmits_nothing_and_learns_nothing():
    made, sparse, _ = trained(magnitude_pruning(share=0.1), alive=0.5, signs=False)
    silent = sparse._mask(made[0]) == 0
    values = sparse._values(made[0]).copy()
    X = torch.randn(6, 30)
    before = made(X).detach().clone()
    sparse._values(made[0])[silent] = 7.0
    torch.testing.assert_close(made(X), before, rtol=0, atol=0)
    made(X).sum().backward()
    assert (made[0].weight_orig.grad.numpy().reshape(-1)[silent] == 0).all() and (values[silent] == 0).all()


def test_the_same_seed_gives_the_same_structure_and_another_one_another():
    one, again, other = (trained(deep_r(decay=2e-3 * Hz), seed=seed)[2] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_sparse_evolution_replaces_its_share_and_pruning_takes_it():
    _, sparse, masks = trained(sparse_evolution(turnover=0.3), steps=5, signs=False)
    assert sparse.born == sparse.died == [int(0.3 * 120) + int(0.3 * 20)] * 5 and (masks.sum(axis=1) == 120).all()
    _, sparse, masks = trained(magnitude_pruning(share=0.1), alive=1.0, steps=3, signs=False)
    assert masks.sum(axis=1).tolist() == [600, 540, 486, 438] and sparse.born == [0, 0, 0]
    made = net()
    size = made[0].weight.detach().abs().reshape(-1).numpy().copy()
    once = Sparse([made[0]], magnitude_pruning(share=0.1), 1.0, signs=False)
    once.step()
    assert size[once._mask(made[0]) == 0].max() <= size[once._mask(made[0]) == 1].min()  # the weakest went


def test_contacts_come_and_go_at_the_rates_of_the_law():
    made = nn.Linear(300, 300, bias=False)
    nn.init.constant_(made.weight, 0.3)
    sparse = Sparse([made], contacts(creation=0.01 * Hz, deletion=0.1 * Hz, w_hold=1e6, w_new=0.3), 0.5, signs=False)
    for _ in range(200):
        sparse.step()
    born, dies = -np.expm1(-0.01), -np.expm1(-0.1)
    assert sparse.alive / sparse.size == pytest.approx(born / (born + dies), abs=4 * np.sqrt(0.09 * 0.91 / 90_000))


def test_moments_of_what_comes_and_goes_begin_anew():
    made, sparse, masks = trained(deep_r(decay=2e-3 * Hz), steps=1)
    optimiser = torch.optim.SGD(made.parameters(), lr=0.5, momentum=0.9)
    X, y = torch.randn(40, 30), torch.randint(5, (40,))
    for _ in range(30):
        before = sparse._mask(made[0]).copy()
        optimiser.zero_grad()
        nn.functional.cross_entropy(made(X), y).backward()
        optimiser.step()
        sparse.step(optimiser)
        changed = np.flatnonzero(before != sparse._mask(made[0]))
        moment = optimiser.state[made[0].weight_orig]["momentum_buffer"].reshape(-1).numpy()
        assert (moment[changed] == 0).all()
    assert sum(sparse.born) > 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"modules": []}, "modules=[] names none"),
        ({"modules": [nn.ReLU()]}, "module 0, ReLU, has no weights"),
        ({"law": LAWS["growth_curves"]}, "asks for variables of neurons"),
        ({"alive": 0.0}, "alive=0.0 must be a share"),
        ({"alive": [0.1, 0.2]}, "must be a share"),
        ({"steps": 0}, "steps=0"),
    ],
)
def test_what_cannot_be_is_refused(change, told):
    given = {"modules": [nn.Linear(4, 3)], "law": deep_r, "alive": 0.5} | change
    with pytest.raises(WrongUse) as refused:
        Sparse(given.pop("modules"), given.pop("law"), given.pop("alive"), **given)
    assert told in str(refused.value)


def test_what_is_pruned_already_is_refused():
    module = nn.Linear(4, 3)
    Sparse([module], deep_r, 0.5)
    with pytest.raises(WrongUse, match="not pruned yet"):
        Sparse([module], deep_r, 0.5)


def test_what_would_be_lost_or_is_no_number_is_refused():
    with pytest.raises(WrongUse, match="contiguous"):
        Sparse([nn.Conv2d(8, 8, 3).to(memory_format=torch.channels_last)], deep_r, 0.5)
    made = net()
    sparse = Sparse([made[0]], magnitude_pruning, np.float32(0.5), signs=False)
    with pytest.raises(WrongUse, match="does not move the weights"):
        sparse.step(torch.optim.SGD(net().parameters(), lr=0.1))
    with torch.no_grad():
        made[0].weight_orig.fill_(torch.nan)
    with pytest.raises(PlasticityError, match="no longer finite"):
        sparse.step()
    own = Sparse([nn.Linear(4, 3)], dataclasses.replace(magnitude_pruning, each="w -= 0.1"), 0.5)
    with pytest.raises(WrongUse, match="write it like"):
        own.step()


def test_a_law_that_is_asked_less_often_is_told_that_more_time_has_passed():
    ends = []
    for steps in (1, 10):
        made = nn.Linear(20, 20)
        nn.init.constant_(made.weight, 1.0)
        sparse = Sparse([made], deep_r(decay=1e-2 * Hz, temperature=0 * Hz), 0.5, steps=steps)
        for _ in range(20):
            sparse.step()
        ends.append(sparse._values(made)[sparse._mask(made) > 0].mean())
    np.testing.assert_allclose(ends, 0.8, rtol=1e-5)


def test_a_law_that_prunes_leaves_as_many_as_were_asked_for_and_their_costs_are_no_negative_numbers():
    from bridges.sparse_training import pruned
    from plasticity.tasks import Digits
    from simulations.critical_period import CriticalPeriod, share

    assert share(1000, 100, 20) == pytest.approx(1 - 0.1 ** (1 / 20), abs=0.01)
    task = CriticalPeriod(train=200, epochs=3)
    draw = Digits(train=200).draw(np.random.default_rng(0))
    trials = tuple(a for part in (draw.train, draw.validation, draw.test) for a in (part.stimulus[:, 0], part.y))
    steps = 3 * 7
    law, begun = task.law("from_start", 0.1, 20.0, 20.0 / steps, 64 * 200)
    told = pruned(law(w_new=0.0), begun, trials, 200, 0.01, 3, 20.0, 120, 0)
    full = pruned(None, 1.0, trials, 200, 0.01, 3, 20.0, 120, 0)
    assert told["living"][0] == 12_800 and 1270 <= told["living"][-1] <= 1280
    for phase in ("training", "decision"):
        mine, all_of_it = (getattr(one["costs"], phase) for one in (told, full))
        for kind, done in mine.items():
            assert min(dataclasses.astuple(done)) >= 0
            assert done.multiplications < all_of_it[kind].multiplications
