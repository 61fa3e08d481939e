"""Sequences that ask for sequences: tasks, translators of both sides, BLEU."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

import plasticity as pl
from bridges import compare
from bridges.comparison.answers import bleu, counted, over_sentences
from bridges.comparison.energy import spent
from bridges.comparison.tables import brief
from bridges.comparison.tensorboard import histograms
from bridges.counting import counting
from bridges.sequence_model import ATTENTION, SequenceModel, corrections, remember
from bridges.torch_translator import TorchTranslator, goals, search
from plasticity import datasets
from plasticity.engine.operations import Costs, Operations
from plasticity.errors import WrongUse
from plasticity.learners.hebbian_translator import HebbianTranslator
from plasticity.learners.sequence_baseline import SequenceBaseline
from plasticity.tasks import Scan, Sequences, Translation
from plasticity.tasks.sequences import UNKNOWN, known_words, trials_of

PARTS = ("train", "validation", "test")
TINY = {"width": 16, "layers": 1, "epochs": 2, "batch": 16, "device": "cpu"}


def here(name: str) -> bool:
    return datasets.status(name).state != "missing"


needs_scan = pytest.mark.skipif(not here("scan"), reason="SCAN is not here: set PLASTICITY_DATA or fetch it")
needs_tatoeba = pytest.mark.skipif(not here("tatoeba"), reason="tatoeba is not here: set PLASTICITY_DATA or fetch it")


def copies(n: int, seed: int, longest: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, longest + 1, size=n)
    return np.where(np.arange(longest) < lengths[:, None], rng.integers(1, 5, size=(n, longest)), -1)


@pytest.fixture(scope="module")
def tiny() -> tuple[TorchTranslator, np.ndarray]:
    X = copies(64, 0)
    return TorchTranslator(**TINY).fit(X, X, probe=(copies(20, 1), copies(20, 1))), X


@needs_scan
def test_the_table_says_that_whole_sequences_count():
    result = compare(["nearest_sentence"], Scan(train=20, validation=5, test=5), seeds=[0], jobs=1)
    assert any("right is a whole sequence, from its first symbol to its last" in str(line) for line in brief(result))


# ---- trials


def test_right_is_the_whole_sequence_whatever_its_width_and_a_share_of_places_is_told_apart():
    trials = Sequences(np.array([[1, 2], [2, -1]]), np.array([[1, 2, 2], [2, -1, -1]]), np.arange(2), 3, 3)
    assert trials.right([[1, 2, 2, -1, -1], [2, -1, 1, 1, 1]]).tolist() == [1, 1]  # nothing counts behind the end
    assert trials.right([[1, 2], [2, 2]]).tolist() == [0, 0]
    np.testing.assert_allclose(trials.places([[1, 2], [2, 2]]), [2 / 3, 1 / 2])
    assert trials.places(np.zeros((2, 0), int)).tolist() == [0, 0]


def test_each_of_several_references_is_right_and_the_unknown_symbol_never():
    words = ("?", "un", "deux"), ("?", "un", "deux")
    trials = trials_of([["un"]], [[["un"], ["deux", "un"], ["trois"]]], np.arange(1), words)
    assert [trials.right([answer])[0] for answer in ([1, -1], [2, 1], [2, 2], [UNKNOWN, -1])] == [1, 1, 0, 0]
    assert trials.text(trials.references[0, 2]) == "?"


def test_words_of_both_languages_have_one_number_and_words_of_test_texts_none():
    sources, targets = [["tom", "runs"], ["tom", "runs"]], [["tom", "court"], ["tom", "court"]]
    shown, asked = known_words(sources, targets, 100)
    assert shown == ("?", "tom", "runs") and asked == ("?", "tom", "court")
    assert trials_of([["tom", "sleeps"]], [[["tom"]]], np.arange(1), (shown, asked)).source.tolist() == [[1, UNKNOWN]]


@needs_scan
@pytest.mark.parametrize("split", ["simple", "length", "add_jump"])
def test_the_parts_of_scan_share_no_command_and_the_grammar_answers_each(split):
    task = Scan(split=split, train=300, validation=50, test=100)
    draw, other = (task.draw(np.random.default_rng(seed)) for seed in (0, 1))
    shown = [{draw.test.text(row, 0) for row in getattr(draw, part).source} for part in PARTS]
    assert not shown[0] & shown[1] and not shown[0] & shown[2] and not shown[1] & shown[2]
    numbers = [set(getattr(draw, part).number) for part in PARTS]
    assert not numbers[0] & numbers[1] and not numbers[0] & numbers[2] and not numbers[1] & numbers[2]
    assert draw.fingerprint() == task.draw(np.random.default_rng(0)).fingerprint() != other.fingerprint()
    assert draw.train.right(task.ideal(draw.train)).all()
    assert draw.tested == pytest.approx(100 / draw.test_set)
    if split == "length":
        assert (draw.train.target >= 0).sum(axis=1).max() <= 22 < 24 <= (draw.test.target >= 0).sum(axis=1).min()


@needs_tatoeba
def test_the_parts_of_translation_share_no_english_sentence_and_words_are_those_of_training():
    task = Translation(train=500, validation=100, test=100)
    draw = task.draw(np.random.default_rng(0))
    numbers = [set(getattr(draw, part).number) for part in PARTS]
    assert not numbers[0] & numbers[1] and not numbers[0] & numbers[2] and not numbers[1] & numbers[2]
    assert len(draw.train) == 500 and len(numbers[2]) == len(draw.test) == 100
    assert draw.test.words == draw.train.words and draw.train.vocabulary == len(draw.train.words[0])
    assert set(range(1, draw.train.vocabulary)) == set(draw.train.source[draw.train.source > 0])
    assert (draw.test.source == UNKNOWN).any() and draw.test.references.shape[1] > 1


def test_french_is_cut_behind_its_apostrophes_and_marks_stand_alone():
    words = datasets.tatoeba.load.__globals__["_words"]
    assert words("L’homme n'est-il pas là ?", datasets.tatoeba.load.__globals__["FRENCH"]) == (
        "l'", "homme", "n'", "est-il", "pas", "là", "?",
    )  # fmt: skip
    assert words("Don't go.", datasets.tatoeba.load.__globals__["ENGLISH"]) == ("don't", "go", ".")


# ---- the encoder-decoder


@pytest.mark.parametrize("kind", ATTENTION)
def test_what_stands_behind_the_end_changes_nothing(kind):
    model = SequenceModel(6, 6, 16, 2, 0.0, kind).eval()
    source, target = torch.tensor([[1, 2, 3]]), torch.tensor([[4, 5]])
    wider = torch.tensor([[1, 2, 3, -1, -1], [1, 2, 3, 4, 5]]), torch.tensor([[4, 5, -1, -1], [4, 5, 1, 2]])
    with torch.inference_mode():
        alone, beside = model(source, target), model(*wider)
    torch.testing.assert_close(beside[0, :3], alone[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ATTENTION)
def test_no_symbol_sees_those_after_it(kind):
    model = SequenceModel(6, 6, 16, 2, 0.0, kind).eval()
    source = torch.tensor([[1, 2, 3]])
    with torch.inference_mode():
        one, other = model(source, torch.tensor([[4, 5, 1]])), model(source, torch.tensor([[4, 5, 2]]))
    torch.testing.assert_close(one[0, :3], other[0, :3])
    assert (one[0, 3] != other[0, 3]).any()


def test_the_triangular_system_writes_what_the_delta_rule_writes_step_by_step():
    torch.manual_seed(1)
    query, key, value = (torch.randn(2, 3, 5, 4, dtype=torch.float64) for _ in range(3))
    key, rate = torch.nn.functional.normalize(key, dim=3), torch.rand(2, 3, 5, 1, dtype=torch.float64)
    found, _ = remember(query, key, corrections(key, value, rate), causal=True)
    W = torch.zeros(2, 3, 4, 4, dtype=torch.float64)
    for t in range(5):
        k, v = key[:, :, t], value[:, :, t]
        error = v - torch.einsum("nhed,nhd->nhe", W, k)
        W = W + rate[:, :, t, :, None] * error[..., None] * k[:, :, None, :]
        torch.testing.assert_close(found[:, :, t], torch.einsum("nhed,nhd->nhe", W, query[:, :, t]))


def greedy(model: SequenceModel, source: torch.Tensor, longest: int) -> list[int]:
    said: list[int] = []
    while len(said) < longest:
        with torch.inference_mode():
            logits = model(source[None], torch.tensor([said], dtype=torch.int64).reshape(1, -1))[0, -1].clone()
            logits[UNKNOWN] = -math.inf
        if int(logits.argmax()) == model.symbols:
            break
        said.append(int(logits.argmax()))
    return said


def test_a_beam_of_one_is_greedy_search_and_a_wider_one_is_no_less_likely(tiny):
    learner, X = tiny
    model, source = learner.model_, torch.from_numpy(X[:12])
    one = search(model, source, 1, 6, 0.0)
    assert [answer.tolist() for answer in one] == [greedy(model, row[row >= 0], 6) for row in source]

    def likely(row: torch.Tensor, answer: torch.Tensor) -> float:
        with torch.inference_mode():
            logits = model(row[row >= 0][None], answer[None]).log_softmax(dim=2)[0]
        wanted = goals(answer[None], model.symbols)[0]
        return float(logits[torch.arange(len(wanted)), wanted].sum())

    wide = search(model, source, 50, 3, 0.0)  # all that there is to be followed, but for a few
    narrow = search(model, source, 1, 3, 0.0)
    for row, a, b in zip(source, wide, narrow, strict=True):
        assert likely(row, a) >= likely(row, b) - 1e-5
        assert UNKNOWN not in a.tolist()


def test_the_same_random_state_gives_the_same_answers_and_a_saved_translator_answers_the_same(tiny, tmp_path):
    learner, X = tiny
    again = TorchTranslator(**TINY).fit(X, X, probe=(copies(20, 1), copies(20, 1)))
    assert all((a == b).all() for a, b in zip(learner.model_.parameters(), again.model_.parameters(), strict=True))
    learner.save(tmp_path / "mine")
    np.testing.assert_array_equal(pl.load(tmp_path / "mine").predict(X), learner.predict(X))


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(tiny, tmp_path, monkeypatch):
    learner, X = tiny
    probe = (copies(20, 1), copies(20, 1))

    from bridges import training

    monkeypatch.setattr(training, "SHARE", 1e9)
    seen: list[float] = []

    def after_one(done: float) -> None:
        seen.append(done)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TorchTranslator(**TINY, checkpoint=tmp_path).fit(X, X, probe=probe, progress=after_one)
    assert list(tmp_path.glob("block-*.npz"))
    again = TorchTranslator(**TINY, checkpoint=tmp_path).fit(X, X, probe=probe)
    assert all((a == b).all() for a, b in zip(learner.model_.parameters(), again.model_.parameters(), strict=True))
    np.testing.assert_array_equal(again.history_["loss"], learner.history_["loss"])


@pytest.mark.full
@pytest.mark.parametrize("kind", ATTENTION)
def test_each_attention_learns_to_copy(kind):
    X, other = copies(800, 0), copies(100, 2)
    made = TorchTranslator(attention=kind, width=32, layers=1, epochs=20, learning_rate=5e-3, device="cpu")
    made.fit(X, X, probe=(copies(100, 1), copies(100, 1)))
    assert made.score(other, other) > 0.9


@pytest.mark.parametrize(
    ("X", "y", "told"),
    [
        (np.zeros((2, 2)), np.ones((2, 2), int), "X holds no sequences"),
        (np.ones((2, 2), int), np.array([[-1, 1], [1, 1]]), "y: sequence 0 is empty"),
        (np.ones((2, 2), int), np.ones((3, 2), int), "X has 2 sequences and y 3"),
        ([[1], [1, 2]], np.ones((2, 2), int), "X holds no sequences"),
    ],
)
def test_what_is_no_sequence_is_refused_by_every_learner(X, y, told):
    for learner in (TorchTranslator(**TINY), HebbianTranslator(), SequenceBaseline()):
        with pytest.raises(WrongUse, match=told):
            learner.fit(X, y)


# ---- without gradients


def test_the_local_rule_learns_to_copy_where_the_place_tells_all_and_forgets_nothing_by_saving(tmp_path):
    X, other = copies(400, 0), copies(100, 2)
    made = HebbianTranslator(synapses=2**18).fit(X, X, probe=(other, other))
    assert made.score(other, other) > 0.9 > made.history_["accuracy"][0]
    made.save(tmp_path / "mine")
    np.testing.assert_array_equal(pl.load(tmp_path / "mine").predict(other), made.predict(other))


def test_hebb_weights_are_how_often_a_symbol_followed():
    X, y = np.array([[1], [1], [1], [1]]), np.array([[1], [1], [1], [2]])
    made = HebbianTranslator(rule="hebb", synapses=2**18).fit(X, y)
    first = made.weights_[made.weights_[:, 2] > 0][:, 1:3]
    np.testing.assert_allclose(first[np.isclose(first.sum(axis=1), 1)], [[0.75, 0.25]] * len(first), atol=1e-6)
    assert made.predict(X[:1]).tolist() == [[1]]


# ---- what they cost


def decided_macs(length: int, answer: int, symbols: int, beam: int = 1) -> int:
    """Multiply-accumulates of an answer by hand: one layer of width w, sources of `length`, m symbols from the first one on."""
    w = TINY["width"]
    encoded = 8 * w**2 * length + 2 * w * length**2  # query, key, value, output and twice 2 w; scores and weighted values
    decoded = [10 * w**2 * m + 2 * w * m**2 + 2 * w**2 * length + 2 * w * length * m + w * (symbols + 1) * m
               for m in range(1, answer + 2)]  # fmt: skip
    return encoded + beam * sum(decoded)


def test_an_answer_of_the_transformer_is_counted_symbol_by_symbol(tiny):
    made, X = tiny
    assert made.lengths_ == [round((X >= 0).sum(axis=1).mean())] * 2 == [3, 3]
    found = made.costs()
    assert found.side == "torch" and found.decision["forward"].sums == decided_macs(3, 3, 5)
    wider = TorchTranslator(**TINY, beam=3)
    wider.restore(made.state())
    assert wider.costs().decision["forward"].sums == decided_macs(3, 3, 5, beam=3)
    alone, together = found.training_alone["forward"], found.training["forward"]
    assert together.sums == alone.sums and together.weight_words < alone.weight_words  # a batch shares the reads of weights
    assert found.training["update"].multiplications == pytest.approx(11 * made.parameters_ / TINY["batch"])
    assert found.stored["training"]["weights"] == 4 * made.parameters_


@pytest.mark.parametrize("kind", ATTENTION)
def test_translators_have_costs_of_all_their_operations_and_histograms_of_their_weights(kind):
    X = copies(32, 0)
    made = TorchTranslator(**{**TINY, "epochs": 1}, attention=kind).fit(X, X, probe=(X, X))
    before = {name: array.copy() for name, array in made.learnt().items()}
    found = made.costs()
    assert found.uncounted == () and spent(found) > 0 and spent(found, "training") > spent(found)
    assert {*found.training} == {"forward", "backward", "update"} and found.plain() == Costs.read(found.plain()).plain()
    assert all((made.learnt()[name] == array).all() for name, array in before.items())
    kept = histograms(made, "after")
    assert len(kept) == len(before) and sum(counts[1].sum() for counts in kept.values()) == made.parameters_


def test_a_triangular_system_takes_a_product_with_each_row_before():
    with counting(torch.nn.Identity()) as seen:
        torch.linalg.solve_triangular(torch.eye(5).expand(2, 5, 5), torch.ones(2, 5, 3), upper=False, unitriangular=True)
    assert not seen.uncounted and seen.done.multiplications == seen.done.additions == 2 * 3 * (0 + 1 + 2 + 3 + 4)


@pytest.mark.parametrize("rule", ["delta", "hebb"])
def test_the_local_rule_costs_what_its_active_cells_do(rule, tmp_path):
    X = np.array([[1, 2]] * 4)
    made = HebbianTranslator(rule=rule, synapses=4000, passes=3, block=1, longest=9).fit(X, X)
    with pytest.raises(NotFittedError):
        made.costs()
    assert made.predict(X).tolist() == X.tolist()
    found, symbols = made.costs(), 4  # 0, 1, 2 and the end
    cells = 2 + 5 * 2 + 2  # said alone; with each of two symbols shown; with the pair of both
    reads, said = 3 * cells * symbols, 3
    assert found.decision["forward"] == Operations(reads + said * symbols, 0, reads, 0, reads)
    kept = made.weights_.size
    if rule == "delta":  # the first trial alone has wrong answers: 0 for all three symbols
        assert found.training["forward"] == found.decision["forward"]
        changed, trials = 2 * 3 * cells, 12
        assert found.training["plasticity"].additions == pytest.approx((changed + 3 * kept) / trials)
        assert found.training["plasticity"].weight_words == pytest.approx((2 * changed + 9 * kept) / trials)
    else:
        assert found.training["forward"] == Operations()
        assert found.training["plasticity"].multiplications == said * cells * (symbols + 1)
        assert found.training["plasticity"].weight_words == pytest.approx(2 * reads + 3 * kept / 4)
    assert found.stored == {"decision": {"weights": kept}, "training": {"weights": 2 * kept}}
    assert histograms(made, "after")["histogram_after_weights"][1].sum() == kept
    made.save(tmp_path / "made")
    assert pl.load(tmp_path / "made").costs() == found


def test_baselines_copy_count_and_look_up():
    X, y = np.array([[1, 2, -1], [3, 1, 2], [1, 2, -1]]), np.array([[2, -1], [3, 1], [2, -1]])
    asked = np.array([[3, 1, -1], [1, -1, -1]])
    given = {kind: SequenceBaseline(kind=kind).fit(X, y).predict(asked).tolist() for kind in
             ("copy_source", "most_frequent_answer", "place_unigrams", "nearest_sentence")}  # fmt: skip
    assert given["copy_source"] == asked.tolist() and given["most_frequent_answer"] == [[2, -1]] * 2
    assert given["place_unigrams"] == [[2, -1]] * 2 and given["nearest_sentence"] == [[3, 1], [2, -1]]


# ---- BLEU

WORDS = ("?", *sorted({*"the cat is on mat there a".split()}))


def symbols(text: str) -> list[int]:
    return [WORDS.index(word) for word in text.split()]


def of(answer: str, *references: str) -> np.ndarray:
    width = max(len(text.split()) for text in references)
    told = np.array([[symbols(text) + [-1] * (width - len(text.split())) for text in references]])
    return counted(np.array([symbols(answer)]), told)


def test_bleu_is_that_of_papineni_2002_example_2_and_of_sums_by_hand():
    row = of("the the the the the the the", "the cat is on the mat", "there is a cat on the mat")[0]
    assert row.tolist() == [7, 7, 2, 7, 0, 6, 0, 5, 0, 4]  # clipped unigram precision 2/7, as in the paper
    assert bleu(row[None]) == 0
    same = of("the cat is on the mat", "the cat is on the mat")
    assert bleu(same) == pytest.approx(100)
    short = of("the cat is on", "the cat is on the mat")
    assert bleu(short) == pytest.approx(100 * math.exp(1 - 6 / 4))
    both = np.concatenate([same, of("the cat is on a mat", "the cat is on the mat")])
    wanted = (11 / 12 * 8 / 10 * 6 / 8 * 4 / 6) ** 0.25
    assert bleu(both) == pytest.approx(100 * wanted)
    low, high = over_sentences([np.repeat(both, 50, axis=0)])
    assert low < 100 * wanted < high


def test_bleu_equals_sacrebleu_where_it_is_installed():
    sacrebleu = pytest.importorskip("sacrebleu", reason="pip install sacrebleu to compare")
    rng = np.random.default_rng(0)
    texts = [[" ".join(rng.choice(WORDS[1:], size=rng.integers(4, 9))) for _ in range(3)] for _ in range(40)]
    answers = [reference[0] if k % 2 else " ".join(rng.permutation(reference[1].split())) for k, reference in enumerate(texts)]
    theirs = sacrebleu.corpus_bleu(answers, list(zip(*texts, strict=True)), tokenize="none", smooth_method="none").score
    ours = np.concatenate([of(answer, *references) for answer, references in zip(answers, texts, strict=True)])
    assert bleu(ours) == pytest.approx(theirs, abs=1e-6)


@pytest.mark.slow
@needs_scan
def test_the_transformer_gets_99_percent_of_the_simple_split_wholly_right():
    draw = Scan(train=0, test=0).draw(np.random.default_rng(0))
    made = TorchTranslator(device="cpu").fit(draw.train.X, draw.train.y, probe=(draw.validation.X, draw.validation.y))
    assert draw.test.right(made.predict(draw.test.X)).mean() >= 0.99  # .9988 was measured
