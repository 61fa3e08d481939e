"""Comparison: the same trials for every learner, whatever runs where; what is finished stays."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import BaggingClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from bridges.comparison import Comparison, compare, tables
from bridges.learners import LEARNERS
from bridges.models import MODELS
from plasticity.engine import compiler
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import read_sealed, write_sealed
from plasticity.gates import InputGain
from plasticity.learners import SpikingClassifier
from plasticity.parallel import trials_generator
from plasticity.settings import changed
from plasticity.tasks import CuedDigits, Digits, split_streams
from simulations.report.comparison import lead

TASK = CuedDigits(train=60, validation=20, test=40)


class Prototypes(ClassifierMixin, BaseEstimator):
    """The nearest class mean in the cued stream, with a learning curve; `sums` are float sums whose order shows."""

    def __init__(self, noise: float = 0.1, random_state: int = 0) -> None:
        self.noise = noise
        self.random_state = random_state

    def _seen(self, X):
        stimulus, cue = split_streams(X)
        return stimulus[np.arange(len(cue)), cue]

    def fit(self, X, y, probe=None, progress=None):
        seen = self._seen(X) + self.noise * np.random.default_rng(self.random_state).standard_normal((len(X), 64))
        self.classes_ = np.unique(y)
        trials, accuracy = [0], [0.1]
        for stop in (len(y) // 2, len(y)):
            means = [seen[:stop][y[:stop] == label] for label in self.classes_]
            self.means_ = np.stack([part.mean(axis=0) if len(part) else np.zeros(64) for part in means])
            trials.append(stop)
            accuracy.append(np.mean(self.predict(probe[0]) == probe[1]))
            if progress is not None:
                progress(stop / len(y))
        self.history_ = {"trials": np.array(trials), "accuracy": np.array(accuracy)}
        self.arrays_ = {"sums": self._seen(X) @ self.means_.T}
        self.parameters_ = self.means_.size
        return self

    def predict(self, X):
        return self.classes_[np.argmax(self._seen(X) @ self.means_.T, axis=1)]


class Failing(Prototypes):
    """Fails at seed 1."""

    def fit(self, X, y, probe=None, progress=None):
        if self.random_state == 1:
            raise ValueError("no spikes at all")
        return super().fit(X, y, probe, progress)


class Boundless(Prototypes):
    """Has a representation that is not finite."""

    def represent(self, X):
        return np.full((len(X), 3), np.inf)


class Refusing(Prototypes):
    """Was asked for something that cannot be."""

    def fit(self, X, y, probe=None, progress=None):
        raise WrongUse("noise=-1 is outside 0 to inf.")


def both():
    return [("prototypes", Prototypes()), ("tree", DecisionTreeClassifier(max_depth=4)), "guessing"]


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return compare(both(), TASK, seeds=[0, 1, 4], jobs=1, out=tmp_path_factory.mktemp("serial") / "run")


def stamps(folder):
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in (folder / "records").rglob("*.json")}


def test_a_partial_comparison_says_on_how_many_seeds_a_learner_rests(serial):
    records = {key: record for key, record in serial.records.items() if key not in {(4, "tree"), (1, "tree")}}
    partial = Comparison(serial.configuration, records)
    assert [partial.shown(name) for name in partial.learners] == ["prototypes", "tree (1 of 3 seeds)", "guessing"]
    for table in (partial._repr_html_(), *map(rendered, (tables.brief(partial)[1], partial.table()))):
        assert "tree (1 of 3 seeds)" in table and "guessing (" not in table
    assert "seeds)" not in serial._repr_html_()


def test_of_a_table_it_is_told_which():
    found = compare(["guessing"], "table", seeds=1, jobs=1)
    assert found.title == "table (wine)" and tables.brief(found)[0].startswith("table (wine): 1 learner")
    assert lead(found).startswith("The table: wine. 1 learner")


def rendered(table):
    out = Console(width=200, file=io.StringIO())
    out.print(table)
    return out.file.getvalue()


def test_the_learners_have_the_names_that_users_know():
    assert {
        *("spiking_gated", "spiking_no_gate", "spiking_shuffled_gate", "spiking_equal_gain"),
        *("softmax_attention", "uniform_attention", "mlp", "diehl_cook", "patch_attention", "guessing"),
    } <= {*LEARNERS}
    assert {*MODELS} <= {*LEARNERS}
    assert all(entry.summary and entry.source for entry in LEARNERS.values())


@pytest.mark.parametrize("name", LEARNERS)
def test_every_named_learner_is_made_with_the_random_state_asked_for(name):
    assert LEARNERS[name].factory(7).get_params()["random_state"] == 7


def test_the_spiking_learners_differ_in_their_gate_alone():
    made = {
        name: entry.factory(0).get_params(deep=False)
        for name, entry in LEARNERS.items()
        if isinstance(entry.build(), SpikingClassifier)
    }
    gates = [parameters.pop("gate") for parameters in made.values()]
    assert len({type(gate) for gate in gates}) == len(gates) == 4
    first, *others = made.values()
    assert all(parameters == first for parameters in others)


def test_every_learner_of_a_seed_meets_the_very_same_trials_and_every_seed_has_its_own(serial):
    for seed in serial.seeds:
        told = TASK.draw(trials_generator(seed)).fingerprint()
        records = [serial.records[seed, name] for name in serial.learners]
        assert {record.numbers["trials_sha256"] for record in records} == {told}
        assert all(np.array_equal(record.arrays["labels"], records[0].arrays["labels"]) for record in records)
    assert len({serial.records[seed, "tree"].numbers["trials_sha256"] for seed in serial.seeds}) == 3


def test_a_changed_pixel_changes_the_fingerprint():
    draw = TASK.draw(trials_generator(0))
    stimulus = draw.test.stimulus.copy()
    stimulus[0, 0, 0] = 1.0 if stimulus[0, 0, 0] == 0 else 0.0
    assert draw.fingerprint() != replace(draw, test=replace(draw.test, stimulus=stimulus)).fingerprint()


@pytest.mark.full
def test_serial_and_parallel_runs_agree_to_the_bit(serial):
    parallel = compare(both(), TASK, seeds=[4, 0, 1], jobs=2)  # the order of the seeds does not matter either
    assert parallel.records.keys() == serial.records.keys()
    for key, record in serial.records.items():
        other = parallel.records[key]
        assert record.arrays.keys() == other.arrays.keys()
        for name, array in record.arrays.items():
            assert array.tobytes() == other.arrays[name].tobytes(), (key, name)
        timeless = {name: value for name, value in record.numbers.items() if not name.startswith("seconds")}
        assert timeless == {name: other.numbers[name] for name in timeless}


def test_a_comparison_read_from_its_folder_says_the_same(serial):
    read = Comparison.load(serial.folder)
    assert read.to_json() == serial.to_json()
    kept = read_sealed(serial.folder / "summary.json")  # without its place: a folder may be moved
    assert {**kept, "out": str(serial.folder)} == serial.to_json() and "out" not in kept


def test_a_comparison_held_in_memory_can_be_saved_and_read(tmp_path):
    made = compare([Prototypes()], TASK, seeds=range(2), jobs=1)
    assert made.to_json()["out"] is None
    made.save(tmp_path / "kept")
    assert Comparison.load(tmp_path / "kept").to_json() == made.to_json()
    assert (tmp_path / "kept" / "summary.csv").read_text().count("\n") == 2


def test_the_summary_has_the_promised_shape(serial):
    summary = json.loads(json.dumps(serial.to_json(), allow_nan=False))
    assert summary["task"] == "cued_digits" and summary["chance"] == 0.1 and summary["ceiling"] == 1.0
    assert [learner["name"] for learner in summary["learners"]] == ["prototypes", "tree", "guessing"]
    for learner in summary["learners"]:
        accuracy = learner["accuracy"]
        assert len(accuracy["seeds"]) == 3 and accuracy["low"] <= accuracy["mean"] <= accuracy["high"]
        assert accuracy["mean"] == pytest.approx(np.mean(accuracy["seeds"]), abs=1e-15)  # the same sum
    for difference in summary["differences"]:
        assert difference["b"] == serial.best and difference["a"] != serial.best
        assert difference["mean"] <= 0 and difference["low"] <= difference["mean"] <= difference["high"]
        assert difference["p_uncorrected"] <= difference["p"] <= 1
        assert (difference["p_least"] or 0) == serial.least_p <= difference["p"]
    assert len(summary["differences"]) == 2


def test_differences_are_taken_seed_by_seed(serial):
    a, b = serial.numbers("guessing", "accuracy"), serial.numbers(serial.best, "accuracy")
    assert serial.differences["guessing"]["mean"] == pytest.approx((a - b).mean(), abs=1e-15)  # the same sum


def test_the_table_has_a_row_for_each_learner_and_names_the_seeds(serial):
    assert serial.table().row_count == 3 + len(serial.groups)
    assert "60 training trials" in serial.caption() and "seeds 0-1, 4" in serial.caption()


def test_one_seed_gives_no_interval_and_no_p_value():
    summary = compare(["guessing", Prototypes()], TASK, seeds=[3], jobs=1).to_json()
    json.dumps(summary, allow_nan=False)
    assert summary["learners"][0]["accuracy"]["low"] is None and summary["differences"][0]["p"] is None


def test_records_of_different_trials_are_not_paired(serial):
    records = dict(serial.records)
    other = records[1, "tree"]
    records[1, "tree"] = replace(other, numbers={**other.numbers, "trials_sha256": "0" * 64})
    with pytest.raises(PlasticityError, match="seed 1: tree met other trials"):
        Comparison(serial.configuration, records)


def test_going_on_runs_only_what_is_missing(tmp_path):
    out = tmp_path / "run"
    compare(both(), TASK, seeds=range(2), jobs=1, out=out)
    before = stamps(out)
    (out / "summary.json").unlink()  # as if it had been interrupted before the end
    (out / "records" / "seed-0001" / "tree.json").unlink()
    seen = []
    compare(both(), TASK, seeds=range(2), jobs=1, out=out, progress=lambda *told: seen.append(told))
    changed = {str(path) for path, stamp in stamps(out).items() if stamp != before[path]}
    assert changed == {"records/seed-0001/tree.json"}
    assert seen[0][1:] == (5, 6) and seen[-1] == (1.0, 6, 6)
    assert all(a[0] <= b[0] for a, b in zip(seen, seen[1:], strict=False))


def test_a_finished_run_is_kept_unless_forced(serial):
    with pytest.raises(WrongUse, match="--force"):
        compare(both(), TASK, seeds=[0, 1, 4], jobs=1, out=serial.folder)


def test_an_unfinished_run_with_other_seeds_is_not_mixed_in(tmp_path):
    with pytest.raises(PlasticityError):
        compare([("first", Prototypes()), Failing()], TASK, seeds=range(2), jobs=1, out=tmp_path / "run")
    assert stamps(tmp_path / "run")
    with pytest.raises(WrongUse, match="seeds"):
        compare([("first", Prototypes()), Failing()], TASK, seeds=range(3), jobs=1, out=tmp_path / "run")


def test_a_learner_refused_at_once_does_not_take_the_folder(tmp_path):
    with pytest.raises(WrongUse):
        compare([Refusing()], TASK, seeds=[0], jobs=1, out=tmp_path / "run")
    assert compare([Prototypes()], TASK, seeds=[0], jobs=1, out=tmp_path / "run").missing == 0


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.full)])
def test_a_failing_learner_is_named_with_its_seed_and_the_finished_ones_stay(tmp_path, jobs):
    out = tmp_path / "run"
    with pytest.raises(PlasticityError, match="Failing failed at seed 1: ValueError: no spikes at all.*stay in") as caught:
        compare([("first", Prototypes()), Failing()], TASK, seeds=range(2), jobs=jobs, out=out)
    assert not isinstance(caught.value, WrongUse)
    assert "in fit" in str(caught.value.__cause__)  # the traceback of where it failed
    assert stamps(out) and not (out / "summary.json").exists()
    assert "Failing" not in {path.stem for path in stamps(out) if "seed-0001" in str(path)}
    assert Comparison.load(out).missing > 0


def test_wrong_use_found_by_a_learner_stays_wrong_use():
    with pytest.raises(WrongUse, match="Refusing failed at seed 0: noise=-1 is outside"):
        compare([Refusing()], TASK, seeds=[0], jobs=1)


def test_a_damaged_record_is_named(tmp_path):
    compare([Prototypes()], TASK, seeds=range(2), jobs=1, out=tmp_path)
    path = tmp_path / "records" / "seed-0001" / "Prototypes.npz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(PlasticityError, match="seed-0001/Prototypes.npz is damaged"):
        Comparison.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda numbers: numbers.update(accuracy=2.0), "it states the accuracy 2.0"),
        (lambda numbers: numbers.update(accuracy="x"), "it states the accuracy 'x'"),
        (lambda numbers: numbers.pop("trials_sha256"), "it lacks trials_sha256"),
    ],
)
def test_a_record_that_was_changed_by_hand_is_named(tmp_path, change, told):
    compare([Prototypes()], TASK, seeds=[0], jobs=1, out=tmp_path)
    path = tmp_path / "records" / "seed-0000" / "Prototypes.json"
    content = read_sealed(path)
    change(content["numbers"])
    write_sealed(path, content)
    with pytest.raises(PlasticityError, match=f"Prototypes.json is damaged.*{told}"):
        Comparison.load(tmp_path)


@pytest.mark.parametrize("content", [[1, 2], {}, {"configuration": "x"}, {"configuration": {"command": "compare"}}])
def test_a_run_file_that_is_none_is_named(tmp_path, content):
    (tmp_path / "run.json").write_text(json.dumps(content))
    with pytest.raises(PlasticityError, match="run.json is damaged"):
        Comparison.load(tmp_path)


def test_a_learners_name_in_a_file_cannot_lead_out_of_the_folder(tmp_path):
    compare([Prototypes()], TASK, seeds=[0], jobs=1, out=tmp_path)
    content = read_sealed(tmp_path / "run.json")
    content["configuration"]["learners"] = ["../../x"]
    write_sealed(tmp_path / "run.json", content)
    with pytest.raises(PlasticityError, match="cannot be"):
        Comparison.load(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"learners": ["mpl"]}, "Did you mean 'mlp'"),
        ({"learners": []}, "no learner was given"),
        ({"learners": [3]}, "a learner is a name or a scikit-learn estimator"),
        ({"learners": [Prototypes(), Prototypes()]}, "two learners are named 'Prototypes'"),
        ({"learners": [("a/b", Prototypes())]}, "letters, digits"),
        ({"task": "cued_digit"}, "Did you mean 'cued_digits'"),
        ({"seeds": []}, "0 seeds"),
        ({"seeds": 0}, "0 seeds"),
        ({"learners": [DecisionTreeClassifier]}, r"is a class; give an estimator: DecisionTreeClassifier\(\)"),
        ({"learners": ["mlp"], "settings": {"mlp": {"device": "abacus"}}}, "unknown device 'abacus'"),
        ({"learners": ["mlp"], "settings": {"torch": {"log": " "}}}, "names no folder"),
        ({"learners": ["spiking_gated"], "settings": {"spiking": {"gate": "learning_gate"}}}, "share"),
        ({"learners": ["spiking_gated"], "settings": {"spiking": {"encoder": "poison"}}}, "Did you mean 'poisson'"),
        ({"learners": ["spiking_gated"], "settings": {"spiking": {"rule": "bcm"}}}, "known to fit"),
        ({"task": "digits", "learners": ["diehl_cook"], "settings": {"diehl_cook": {"dt_ms": 0.3}}}, "multiple of the time step"),
        (
            {"learners": [make_pipeline(SVC())], "settings": {"Pipeline": {"svc.c": 1}}},
            "setting of svc of Pipeline 'c'. Did you mean 'C'",
        ),
        ({"seeds": [-1]}, "not -1"),
        ({"seeds": [1, 1]}, "once"),
        ({"jobs": 0}, "1 or more"),
        ({"settings": {"Prototypes": {"nose": 1}}}, "Did you mean 'noise'"),
        ({"settings": {"prototype": {"noise": 1}}}, "unknown learner in a setting 'prototype'"),
    ],
)
def test_wrong_use_is_answered_before_anything_runs(tmp_path, arguments, told):
    asked = {"learners": [Prototypes()], "task": TASK, "seeds": [0], "jobs": 1, "out": tmp_path / "run", **arguments}
    with pytest.raises(WrongUse, match=told):
        compare(**asked)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_refused_before_a_trial_is_drawn(monkeypatch):
    monkeypatch.setattr(CuedDigits, "draw", lambda self, rng: pytest.fail("drawn before all was checked"))
    with pytest.raises(WrongUse, match="torch finds no CUDA here"):
        compare(["guessing", "mlp"], TASK, seeds=[0], jobs=1, settings={"torch": {"device": "cuda"}})


def test_a_number_of_seeds_is_counted_from_0():
    assert compare(["guessing"], TASK, seeds=2, jobs=1).seeds == [0, 1]
    assert compare(["guessing"], TASK, seeds=np.int64(1), jobs=1).seeds == [0]


class Stateful(ClassifierMixin, BaseEstimator):
    """Answers its random state, whatever it is asked."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.random_state)


def test_estimators_without_a_random_state_and_those_that_are_made_of_others_are_compared():
    learners = [KNeighborsClassifier(1), make_pipeline(StandardScaler(), Stateful()), ("calibrated", BaggingClassifier(SVC(), 2))]
    found = compare(learners, TASK, seeds=[0, 3], jobs=1, settings={"Pipeline": {"standardscaler.with_mean": "false"}})
    assert found.learners == ["KNeighborsClassifier", "Pipeline", "calibrated"]
    for seed in (0, 3):  # the random state of a step is the seed too
        assert (found.records[seed, "Pipeline"].arrays["predictions"] == seed).all()
    assert found.numbers("KNeighborsClassifier", "accuracy").mean() > 0.2  # chance .1; it cannot read the cue
    assert "with_mean=False" in str(found.configuration["parameters"]["Pipeline"])
    again = compare(learners, TASK, seeds=[0, 3], jobs=1)
    for seed in (0, 3):
        np.testing.assert_array_equal(
            again.records[seed, "calibrated"].arrays["predictions"], found.records[seed, "calibrated"].arrays["predictions"]
        )


class Curveless(Prototypes):
    """Has a learning curve without a point, as one that was shown too few trials for one."""

    curve = "training images"
    passes = 3

    def fit(self, X, y, probe=None, progress=None):
        super().fit(X, y, probe)
        self.history_ = {"trials": np.zeros(0), "accuracy": np.zeros(0)}
        return self


def test_a_learning_curve_without_a_point_has_its_end():
    found = compare([Curveless()], TASK, seeds=[0], jobs=1)
    record = found.records[0, "Curveless"]
    assert record.numbers["trials_shown"] == 180 and record.arrays["history_trials"].tolist() == [180]
    draw = TASK.draw(trials_generator(0))
    wanted = Prototypes(random_state=0).fit(draw.train.X, draw.train.y, (draw.validation.X, draw.validation.y))
    assert record.arrays["history_accuracy"][0] == wanted.history_["accuracy"][-1]
    assert record.numbers["curve"] == "validation trials"


@pytest.mark.full
@pytest.mark.skipif(not compiler(), reason="trains for many steps: needs a C++ compiler")
def test_diehl_and_cook_with_few_images_can_be_compared_and_drawn(tmp_path):
    found = compare(["diehl_cook", "guessing"], Digits(train=100), seeds=[0], jobs=1, out=tmp_path / "run")
    assert found.records[0, "diehl_cook"].numbers["trials_shown"] == 300
    assert found.numbers("diehl_cook", "accuracy")[0] > 0.4  # chance .1; .71 was measured
    done = subprocess.run(
        [sys.executable, "-m", "simulations", "plot", str(tmp_path / "run")], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_learner_objects_are_cloned_not_changed():
    mine = Prototypes(random_state=99)
    compare([mine], TASK, seeds=[0], jobs=1, settings={"Prototypes": {"noise": "0.2"}})
    assert mine.random_state == 99 and mine.noise == 0.1 and not hasattr(mine, "classes_")


GATE = InputGain()


class Odd(BaseEstimator):
    def __init__(self, flag=True, count=3, rate=0.5, sizes=(4, 5), word="a", free=None, gate=GATE, random_state=0):
        self.flag, self.count, self.rate, self.sizes = flag, count, rate, sizes
        self.word, self.free, self.gate, self.random_state = word, free, gate, random_state


def test_texts_become_what_a_parameter_is():
    texts = {"flag": "no", "count": "7", "rate": "2", "sizes": "1,2,3", "word": "7", "free": "0.25", "gate.attended": "3"}
    made = changed(Odd(), texts, "odd")
    assert (made.flag, made.count, made.rate, made.sizes) == (False, 7, 2.0, (1, 2, 3))
    assert (made.word, made.free, made.gate) == ("7", 0.25, InputGain(attended=3.0))


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("count", "many", "give a whole number"),
        ("flag", "maybe", "give true or false"),
        ("gate.atended", "3", "Did you mean 'attended'"),
        ("count.x", "3", "has no settings of its own"),
        ("random_state", "3", "unknown parameter"),
        ("gate", "nothing", "unknown gate"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(key, value, told):
    with pytest.raises(WrongUse, match=told):
        changed(Odd(), {key: value}, "odd")


def test_a_gate_can_be_named():
    from plasticity.gates import LearningGate

    assert changed(Odd(), {"gate": "learning_gate"}, "odd").gate == LearningGate()


def test_a_representation_that_is_not_finite_is_named_with_its_learner_and_seed():
    with pytest.raises(PlasticityError, match=r"odd failed at seed 0: what represent\(X\) gives holds NaN or infinity"):
        compare([("odd", Boundless())], TASK, [0], jobs=1)


@pytest.mark.parametrize("seeds", [1.5, [0, 1.5], "ab", None])
def test_seeds_that_are_no_whole_numbers_are_refused(seeds):
    with pytest.raises(WrongUse, match="no whole numbers; give a number of seeds"):
        compare(["guessing"], TASK, seeds=seeds)


def test_a_class_is_no_task():
    with pytest.raises(WrongUse, match=r"CuedDigits is a class; give a task that is made of it, CuedDigits\(\)"):
        compare(["guessing"], CuedDigits)
