"""The same to the bit wherever it runs: alone, in threads, in processes, in the threads of a worker of a cluster."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from brian2 import Hz, ms, prefs
from threadpoolctl import threadpool_info

from bridges import TorchClassifier, compare
from bridges.training import limited, one_thread, seeded
from plasticity import parallel, protocols
from plasticity.parallel import cluster
from plasticity.rules import pair_stdp
from plasticity.tasks import CuedDigits

MODELS = ("mlp", "softmax_attention", "lstm_attention", "conv_attention")  # dropout; kernels of their own
TIMES = ("seconds", "seconds_compile", "seconds_predict")


@pytest.fixture(autouse=True)
def threads_that_change_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


def in_two_threads(work, items):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(work, items))


@pytest.mark.parametrize("name", MODELS[:3])
def test_a_model_trained_in_threads_is_that_trained_alone(name):
    rng = np.random.default_rng(0)
    X, y = np.hstack([rng.random((60, 32)), np.eye(2)[rng.integers(2, size=60)]]), rng.integers(3, size=60)

    def fitted(seed):
        made = TorchClassifier(name, epochs=4, hidden=8, batch=16, random_state=seed).fit(X, y)
        return made.predict_proba(X), made.costs()

    torch.manual_seed(123)  # the user's own generator
    generator, threads = torch.get_rng_state(), torch.get_num_threads()
    alone = [fitted(seed) for seed in range(4)]
    for (ours, costs), (theirs, same) in zip(in_two_threads(fitted, range(4)), alone, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert costs == same
    assert torch.equal(torch.get_rng_state(), generator)
    found = []
    new = threading.Thread(target=lambda: found.append(torch.get_num_threads()))  # a new one takes over what was set last
    new.start()
    new.join()
    assert torch.get_num_threads() == threads and found == [threads]


def test_one_thread_at_a_time_has_the_generator_and_others_wait():
    inside, entered = [], []

    def draw(seed):
        with seeded(seed, torch.device("cpu")), one_thread():
            inside.append(seed)
            drawn = [torch.rand(1).item() for _ in range(50) if not threading.Event().wait(1e-4)]
            entered.append(len(inside))
            inside.remove(seed)
        return drawn

    alone = [draw(seed) for seed in range(4)]
    assert in_two_threads(draw, range(4)) == alone and set(entered) == {1}


@pytest.mark.parametrize("context", [limited, parallel.one_thread])
def test_work_in_several_threads_has_one_each_until_the_last_leaves(context):
    def threads():
        pools = {library["prefix"]: library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}
        return {"torch": torch.get_num_threads()} if context is limited else pools

    meet, first_out = threading.Barrier(2, timeout=10), threading.Event()

    def work(first):
        with context():
            meet.wait()
            if not first:
                assert first_out.wait(10)
            seen = threads()
            with context():
                pass
            assert threads() == seen
        if first:
            first_out.set()
        return seen

    before = threads()
    with context():
        pass
    assert threads() == before
    for seen in in_two_threads(work, [True, False]):
        assert seen and set(seen.values()) == {1}
    assert threads() == before


@pytest.mark.full
def test_brian2_in_two_threads_gives_what_it_gives_alone_and_its_target_stays():
    def changed(scale):
        pre, post = protocols.pairs(np.arange(-3, 4) * scale * ms, 10, 10 * Hz, 1 * ms)
        return protocols.weight_change(pair_stdp, pre, post, dt=1 * ms)

    before = prefs.codegen.target
    try:
        prefs.codegen.target = "auto"
        alone = [changed(scale) for scale in (1, 2)]
        for ours, theirs in zip(in_two_threads(changed, (1, 2)), alone, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert prefs.codegen.target == "auto"
    finally:
        prefs.codegen.target = before


def told(comparison):
    """All numbers and arrays, but for times."""
    return {
        key: (
            {name: value for name, value in record.numbers.items() if name not in TIMES},
            {name: array.tolist() for name, array in record.arrays.items()},
        )
        for key, record in comparison.records.items()
    }


@pytest.mark.full
def test_a_comparison_is_the_same_to_the_bit_alone_in_threads_in_processes_and_on_a_worker_of_two_threads(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")])
    )
    learners, seeds = [*MODELS, "guessing"], (0, 1)
    asked = {"task": CuedDigits(train=120, validation=40, test=60), "settings": {"torch": {"epochs": "3", "hidden": "12"}}}
    generator = torch.get_rng_state()
    alone = told(compare(learners, seeds=seeds, jobs=1, **asked))
    assert torch.equal(torch.get_rng_state(), generator)
    assert len(alone) == len(learners) * len(seeds)

    def one(seed):
        return told(compare(learners, seeds=[seed], jobs=1, **asked))

    first, second = in_two_threads(one, seeds)
    assert first | second == alone
    assert told(compare(learners, seeds=seeds, jobs=2, **asked)) == alone
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, dashboard_address=":0", local_directory=str(tmp_path)
        ) as local,
        cluster(local.scheduler_address),
    ):
        assert told(compare(learners, seeds=seeds, **asked)) == alone
