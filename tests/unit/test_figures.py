"""Figures come from records alone, show what they should, and are the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bridges.comparison import Comparison
from bridges.comparison.measures import calibration as calibrate
from bridges.comparison.reading import REMOVED, WORDS
from plasticity.engine.operations import Costs, Operations
from plasticity.errors import PlasticityError
from plasticity.records import Record
from plasticity.statistics import interval
from simulations import SIMULATIONS, figures
from simulations.figures import attention_gain
from simulations.figures import comparison as drawing
from simulations.figures.kinds import draw
from simulations.figures.style import SIDES, looks_of
from simulations.frame import results
from simulations.frame.execute import RECORD, from_configuration

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
FEATURES, CLASSES, SEEDS = 16, 4, 3


def record(name: str, seed: int) -> Record:
    rng = np.random.default_rng([seed, len(name)])
    trials = np.array([0.0, 10, 100, 400])
    arrays = {
        "history_trials": trials,
        "history_accuracy": np.array([0.25, 0.4, 0.7, 0.9]) + 0.02 * rng.random(4),
        "labels": np.random.default_rng(seed).integers(CLASSES, size=20),  # the same for all learners
        "predictions": rng.integers(CLASSES, size=20),
    }
    if name.startswith("spiking"):
        owner = np.repeat(np.arange(CLASSES), 3)
        arrays |= {
            "weights": rng.random((FEATURES, len(owner))),
            "neuron_class": owner,
            "weights_attended": 0.5 + trials / 1000 + 0.01 * rng.random(4),
            "weights_ignored": 0.5 - trials / 1000 + 0.01 * rng.random(4),
            "gain_attended": np.array([2.0, 2.0]),
            "gain_ignored": np.array([0.5, 0.5]),
        }
    if name == "softmax_attention":
        arrays["attention"] = np.array([[0.9, 0.1], [0.2, 0.8]])
    numbers = {
        "learner": name,
        "accuracy": 0.8 + 0.1 * rng.random(),
        "seconds": 1.0,
        "seconds_predict": 0.1,
        "parameters": 10,
        "training_trials": 400,
        "features": FEATURES,
        "trials_sha256": f"{seed}",
    }
    return Record("compare", {}, seed, numbers, arrays, 1.0, "numpy", 1, {})


def comparison(*names: str, seeds: int = SEEDS) -> Comparison:
    configuration = {
        "command": "compare",
        "task": "cued_digits",
        "settings": {},
        "facts": {"chance": 0.25, "ceiling": 1.0, "without_attention": 0.5, "classes": CLASSES, "streams": 2},
        "learners": list(names),
        "sides": {name: "control" for name in names},
        "seeds": list(range(seeds)),
    }
    return Comparison(configuration, {(seed, name): record(name, seed) for seed in range(seeds) for name in names})


@pytest.fixture
def whole():
    return comparison("spiking_gated", "spiking_no_gate", "softmax_attention", "guessing")


def texts(figure):
    return " ".join(found.get_text() for found in figure.findobj(matplotlib.text.Text))


def test_the_figures_of_a_comparison_are_drawn_with_their_axes_named(whole):
    drawn = drawing.comparison_figures(whole)
    assert set(drawn) == {"accuracy", "learning_curves", "weights", "receptive_fields", "attention", "likeness"}
    for name, words in {
        "accuracy": ["test accuracy (%)", "95 % interval", "chance", "ceiling", "without\nattention"],
        "learning_curves": ["training trials", "validation accuracy (%)", f"thick: mean, thin: each of {SEEDS} seeds"],
        "weights": ["mean weight (no unit)", "attended", "ignored", "training trials", "spiking no gate"],
        "receptive_fields": ["weight (no unit)", "class that the neuron answers for", "seed 0"],
        "attention": ["cued stream", "softmax attention", "spiking gated", "gain 2.00", "0.90", "0.80"],
        "likeness": ["Cohen's κ", "spiking no gate", "0 as permuted trials, 1 alike"],
    }.items():
        for word in words:
            assert word in texts(drawn[name]), (name, word)


def test_nothing_is_said_of_attention_where_there_is_one_stream():
    one = comparison("mlp", "guessing")
    one.configuration["facts"] |= {"streams": 1, "without_attention": None}
    with figures.style():
        words = texts(drawing.accuracy(one)) + texts(drawing.learning_curves(one))
    assert "attention" not in words + str(drawing.accuracy.__doc__) + str(drawing.learning_curves.__doc__)


def test_figures_whose_arrays_no_learner_has_are_left_out():
    assert set(drawing.comparison_figures(comparison("mlp", "guessing"))) == {"accuracy", "learning_curves", "likeness"}


def test_where_no_learner_has_a_learning_curve_none_is_drawn():
    """As of naive Bayes: its record has the end of training alone."""
    one = comparison("naive_bayes", "guessing")
    for kept in one.records.values():
        kept.arrays |= {"history_trials": np.array([400.0]), "history_accuracy": np.array([0.9])}
    assert drawing.learning_curves(one) is None
    assert "learning_curves" not in drawing.comparison_figures(one)


def test_one_seed_can_be_drawn():
    assert len(drawing.comparison_figures(comparison("spiking_gated", "softmax_attention", seeds=1))) == 6


@pytest.mark.full
def test_the_same_records_give_the_same_bytes_whatever_the_user_has_set(tmp_path, whole):
    first = figures.save(drawing.comparison_figures(whole), tmp_path / "a", svg=True)
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.hashsalt": None, "savefig.dpi": 30}):
        again = figures.save(drawing.comparison_figures(whole), tmp_path / "b", svg=True)
    assert (
        len(first) == 12
        and {path.suffix for path in first} == {".png", ".svg"}
        and [path.name for path in first] == [path.name for path in again]
    )
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


@pytest.mark.full
def test_drawing_leaves_the_users_style_alone(tmp_path, whole):
    before = dict(matplotlib.rcParams)
    figures.save(drawing.comparison_figures(whole), tmp_path)
    assert dict(matplotlib.rcParams) == before


def test_the_accuracy_figure_shows_every_seed_and_the_mean(whole):
    with figures.style():
        axis = drawing.accuracy(whole).axes[0]
    shown = [np.sort(dots.get_offsets()[:, 0]) for dots in axis.collections if len(dots.get_offsets()) == SEEDS]
    for values, name in zip(shown, whole.learners, strict=True):
        np.testing.assert_allclose(values, np.sort(100 * whole.numbers(name, "accuracy")), rtol=1e-12)  # the same numbers


def test_a_learning_curve_that_is_not_of_validation_trials_says_so(whole):
    for seed in range(SEEDS):
        whole.records[seed, "guessing"].numbers["curve"] = "training images, named by other images"
    drawn = drawing.learning_curves(whole)
    names = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert names[-1] == "guessing:\ntraining images,\nnamed by other images" and names[0] == "spiking gated"
    assert drawn.axes[0].get_ylabel() == "validation accuracy, or as the legend says (%)"


def test_learning_curves_that_are_all_of_other_trials_have_them_on_the_axis():
    """As of AuGMEnT on `saccade`: the share of right training episodes."""
    alone = comparison("mlp", "guessing")
    for record in alone.records.values():
        record.numbers["curve"] = "training episodes"
    drawn = drawing.learning_curves(alone)
    assert drawn.axes[0].get_ylabel() == "accuracy on training episodes (%)"
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == ["mlp", "guessing"]


def test_a_learner_that_needs_no_training_is_a_line(whole):
    for seed in range(SEEDS):
        whole.records[seed, "guessing"].arrays.update(history_trials=np.zeros(1), history_accuracy=np.array([0.6]))
    (axis,) = drawing.learning_curves(whole).axes
    (line,) = (line for line in axis.get_lines() if line.get_label() == "guessing, untrained")
    assert np.allclose(line.get_ydata(), 60)


def test_learners_that_need_no_training_leave_room_for_their_bars(whole):
    for (_, name), kept in whole.records.items():
        done = {"synapses": Operations(additions=100)}
        kept.numbers["costs"] = Costs("spiking", {}, done, spikes=5.0).plain() if name == "spiking_gated" else None
    drawn = drawing.costs(whole)
    assert [axis.get_xlim()[0] < axis.get_xlim()[1] for axis in drawn.axes] == [True, True]


def test_learners_look_unlike_each_other_whoever_they_are():
    names = ["spiking_gated", "mlp", "diehl_cook", "patch_attention", "hebb_memory", "delta_attention", "fast_weights"]
    assert len({colour for colour, _, _ in figures.look(names).values()}) == len(names)
    many = figures.look([f"learner {k}" for k in range(30)])
    assert len(set(many.values())) == 30
    some_known = figures.look(["spiking_gated", "relu_backprop", "softmax_attention", *(f"learner {k}" for k in range(12))])
    assert len(set(some_known.values())) == 15
    assert figures.look(["mlp", "new"])["mlp"] == figures.look(["mlp"])["mlp"]


def test_each_learner_looks_the_same_in_all_figures_of_a_comparison_and_has_a_colour_of_its_side():
    sides = {"words_uniform_attention": "torch", "words_softmax_attention": "torch", "naive_bayes": "control"}
    names = ["spiking_reader", *sides, "logistic_regression_tf_idf"]
    one = comparison(*names)
    one.configuration["sides"] = {"spiking_reader": "spiking", "logistic_regression_tf_idf": "control", **sides}
    for (_, name), kept in one.records.items():
        if name != "spiking_reader":
            kept.arrays |= {f"deletion_{what}{which}": np.full(len(REMOVED), 0.8) for what in ("", "places_") for which in WORDS}
            kept.arrays["deletion_whole"] = np.array(1.0)
        if one.side(name) == "torch":
            kept.arrays |= {f"history_{which}loss": np.array([1.5, 1.0, 0.7, 0.5]) for which in ("", "training_")}
    looks = looks_of(one)
    assert len({looks[name][:1] for name in names}) == len(names)
    with figures.style():
        made = (drawing.accuracy, drawing.learning_curves, drawing.losses, drawing.deletion)
        shown = {make.__name__: make(one) for make in made}

    def lines(figure, told):
        """Colour and marker of the line of each learner, by the name that `told` gives to a line with a marker of some axes."""
        found = [(told(axis, line), line) for axis in shown[figure].axes for line in axis.get_lines()]
        marked = {name: (line.get_color(), line.get_marker()) for name, line in found if line.get_marker() in list("os^vDPX<>.")}
        return {name.replace(" ", "_"): seen for name, seen in marked.items()}

    axis = shown["accuracy"].axes[0]
    rows = {row: label.get_text() for row, label in zip(axis.get_yticks(), axis.get_yticklabels(), strict=True)}
    drawn = [
        lines("accuracy", lambda _, line: rows[min(rows, key=lambda row: abs(row + 0.32 - np.mean(line.get_ydata())))]),
        lines("learning_curves", lambda _, line: line.get_label()),
        lines("losses", lambda _, line: line.get_label().removesuffix(", validation")),
        lines("deletion", lambda axis, _: axis.get_title()),
    ]
    for those in drawn:
        assert those == {name: (looks[name][0], looks[name][2]) for name in those}
    assert [len(those) for those in drawn] == [5, 5, 2, 4]
    assert "blue, green: by gradient" in texts(shown["accuracy"])
    for side, (colours, _) in SIDES.items():
        assert {looks[name][0] for name in names if one.side(name) == side} <= {*colours}


def test_attention_of_a_task_whose_cue_never_moves_is_not_drawn_by_stream():
    one = comparison("softmax_attention", "guessing")
    for kept in one.records.values():
        if "attention" in kept.arrays:
            kept.arrays["attention"] = np.array([[np.nan, np.nan], [0.2, 0.8]])
    assert drawing.attention(one) is None


def test_receptive_fields_stand_in_the_row_of_their_class(whole):
    with figures.style():
        axis = drawing.receptive_fields(whole).axes[0]
    mosaic = axis.images[0].get_array()
    weights = whole.records[0, "spiking_gated"].arrays["weights"]
    np.testing.assert_array_equal(mosaic[1:5, 1:5], weights[:, 0].reshape(4, 4))
    np.testing.assert_array_equal(mosaic[6:10, 11:15], weights[:, 5].reshape(4, 4))  # class 1, its third neuron
    assert [label.get_text() for label in axis.get_yticklabels()] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("opposites", [False, True])
def test_weights_of_a_table_are_a_heat_map_under_the_names_of_columns_and_classes(opposites):
    one = comparison("spiking_gated", "guessing")
    names = [f"c{k}" for k in range(FEATURES // (1 + opposites))]
    one.configuration["data"] = {"columns": names, "classes": ["oak", "elm", "ash", "yew"]}
    with figures.style():
        axis = drawing.receptive_fields(one).axes[0]
    shown = axis.images[0].get_array()
    weights = one.records[0, "spiking_gated"].arrays["weights"]  # 3 neurons of each class, in order
    np.testing.assert_array_equal(shown[:, [0, 1, 2, 4, 5, 6]], weights[:, :6])
    assert shown.shape == (FEATURES, 4 * 3 + 3) and np.isnan(np.ma.filled(shown, np.nan)[:, [3, 7, 11]]).all()
    wanted = names + [f"1 \N{MINUS SIGN} {name}" for name in names] * opposites
    assert [label.get_text() for label in axis.get_yticklabels()] == wanted
    assert [label.get_text() for label in axis.get_xticklabels()] == ["oak", "elm", "ash", "yew"]
    assert list(axis.get_xticks()) == [1, 5, 9, 13]


def test_the_numbers_of_training_trials_stand_upright_and_apart_and_the_scale_is_named(whole):
    with figures.style():
        drawn = [drawing.weights(whole), drawing.learning_curves(whole)]
    for axis in (axis for figure in drawn for axis in figure.axes):
        labels = axis.get_xticklabels()
        assert [label.get_text() for label in labels] == ["0", "10", "100", "400"] and {
            label.get_rotation() for label in labels
        } == {0}
        assert "log scale above 10" in axis.get_xlabel() and not len(axis.get_xticks(minor=True))


def bars_of(axis):
    """Lower and upper end of each vertical bar on some axes."""
    (bars,) = axis.collections
    return [segment[:, 1] for segment in bars.get_segments() if len(segment)]


def test_calibration_has_the_interval_over_seeds_of_the_share_of_all_trials():
    one = comparison("mlp", seeds=5)
    right = [43, 37, 32, 22, 7]  # of 50 trials of a seed, all equally sure
    for (seed, _), kept in one.records.items():
        labels = np.r_[np.zeros(right[seed], int), np.ones(50 - right[seed], int)]
        kept.arrays |= {"labels": labels, "probabilities": np.tile([0.7, 0.1, 0.1, 0.1], (50, 1))}
    with figures.style():
        figure = drawing.calibration(one)
    (bar,) = bars_of(figure.axes[0])
    np.testing.assert_allclose(bar, 100 * np.array(interval(np.array(right) / 50)), atol=1)  # ties of resampled means
    assert "95 % interval over seeds" in texts(figure)
    few, more = (calibrate(np.tile([0.7, 0.3], (n, 1)), np.zeros(n, int)) for n in (10, 30))
    elsewhere = calibrate(np.tile([0.9, 0.1], (10, 1)), np.ones(10, int))
    low, high = drawing._share_over_seeds([few, more, elsewhere])
    assert low[10] == high[10] == 1 and np.isnan(low[13])  # two seeds with trials in that bin, and one


def test_no_bars_are_drawn_for_one_seed_and_small_bins_are_named():
    one = comparison("mlp", seeds=1)
    one.records[0, "mlp"].arrays |= {"probabilities": np.tile([0.7, 0.1, 0.1, 0.1], (20, 1))}
    with figures.style():
        figure = drawing.calibration(one)
        assert not bars_of(figure.axes[0]) and "95 %" not in texts(figure) and "no bin" not in texts(figure)
        for key in ("probabilities", "labels"):
            one.records[0, "mlp"].arrays[key] = one.records[0, "mlp"].arrays[key][:19]
        assert "no bin of 20 trials" in texts(drawing.calibration(one))


def test_a_caption_is_folded_where_its_figure_is_narrow():
    one = comparison("mlp", seeds=6)
    for kept in one.records.values():
        kept.arrays |= {"probabilities": np.tile([0.7, 0.1, 0.1, 0.1], (20, 1))}
    with figures.style():
        narrow = drawing.calibration(one)
        assert narrow.get_suptitle().count("\n") == 1 and overhang(narrow) < 0.01
        wide, _ = figures.new(9.0, 2.0)
        figures.caption(wide, narrow.get_suptitle().replace("\n", " "))
    assert "\n" not in wide.get_suptitle()


def test_long_names_neither_cut_the_label_of_the_accuracies_nor_lie_over_a_title():
    name = "spiking_learned_gate_feedback_shuffled"
    one = comparison(name)
    one.configuration["learns"] = {name: ["gate"]}
    for kept in one.records.values():
        kept.arrays |= {"history_attended": np.array([0.5, 0.5, 0.6, 0.9])}
    with figures.style():
        accuracy, opening = drawing.accuracy(one), drawing.attended(one)
        assert overhang(accuracy) < 0.01 and overhang(opening) < 0.01
        renderer = FigureCanvasAgg(opening).get_renderer()
        (legend,), title = opening.legends, opening.axes[0]._left_title
        assert title.get_window_extent(renderer).x1 < legend.get_window_extent(renderer).x0


def test_costs_show_an_interval_where_seeds_differ(whole):
    for (seed, _), kept in whole.records.items():
        done = {"synapses": Operations(additions=100.0 + (10 * seed if kept.numbers["learner"] == "spiking_gated" else 0))}
        kept.numbers |= {"costs": Costs("spiking", done, done, spikes=5.0).plain(), "trials_shown": 400}
    whole.configuration["sides"]["softmax_attention"] = "torch"
    with figures.style():
        figure = drawing.costs(whole)
        assert "one training trial\n(torch: in its batch)" in texts(figure)
        whole.configuration["parameters"] = {"softmax_attention": {"batch": 32}}
        figure = drawing.costs(whole)
    training, decision = (axis.get_title(loc="left").splitlines()[1] for axis in figure.axes)
    assert (training, decision) == ("(torch: in a batch of 32)", "(torch: in a batch of 1)")
    first, *others = (text.get_text() for text in figure.axes[0].texts)
    assert first.startswith("99 [") and others == ["90"] * 3  # pJ of an addition each, 100 to 120 of them


def test_likeness_shows_its_intervals_below_the_diagonal(whole):
    row = next(row for row in whole.likeness[0]["rows"] if {row["a"], row["b"]} == {"spiking_gated", "spiking_no_gate"})
    mean, low, high = (f"{row['error_consistency'][key]:.2f}" for key in ("mean", "low", "high"))
    with figures.style():
        figure, alone = drawing.likeness(whole), drawing.likeness(comparison("mlp", "guessing", seeds=1))
    found = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert found[1, 0] == mean and found[0, 1] == f"{low}\n{high}" and "95 % intervals" in texts(figure)
    found = {text.get_position(): text.get_text() for text in alone.axes[0].texts}
    assert found[1, 0] == found[0, 1] and "95 %" not in texts(alone)


def test_of_two_classes_no_empty_panel_of_dissimilarities_is_drawn():
    two = Comparison.load(Path(__file__).parents[2] / "results" / "reference" / "film_reviews")
    assert all(row["rsa"]["mean"] is None for table in two.likeness if table.get("measure") == "rsa" for row in table["rows"])
    with figures.style():
        titles = [axis.get_title(loc="left") for axis in drawing.likeness(two).axes]
    assert sum("CKA" in title for title in titles) == 2 and not any("dissimilarities" in title for title in titles)


def test_the_gain_is_shown_as_a_share_of_the_sum_over_streams(whole):
    with figures.style():
        panels = drawing.attention(whole).axes
    np.testing.assert_allclose(panels[0].images[0].get_array(), [[0.9, 0.1], [0.2, 0.8]], rtol=1e-12)  # the mean of equal numbers
    np.testing.assert_allclose(panels[1].images[0].get_array(), [[0.8, 0.2], [0.2, 0.8]], rtol=1e-12)  # 2 / 2.5 and 0.5 / 2.5


def test_the_gains_that_are_learnt_stand_beside_attention_and_those_that_are_given():
    names = ("spiking_gated", "spiking_learned_gate", "softmax_attention")
    one = comparison(*names, seeds=2)
    for (seed, name), kept in one.records.items():
        if name == "spiking_learned_gate":
            del kept.arrays["gain_attended"], kept.arrays["gain_ignored"]
            gains = np.array([[0.9, 0.1], [0.3, 0.7]]) + 0.05 * seed * np.array([1, -1])
            cue = np.array([0, 1, 1, 0, 1])
            by_trial = np.concatenate([gains[cue], np.full((3, 2), 0.5)])  # of the last ones no condition is kept
            kept.arrays |= {"history_attended": np.array([0.5, 0.9]), "attention_by_trial": by_trial}
            kept.arrays |= {"conditions": 2 * np.array([3, 0, 2, 1, 3]) + cue}
    with figures.style():
        figure = drawing.attention(one)
        no_condition = comparison(*names, seeds=2)
        for (_, name), kept in no_condition.records.items():
            if name == "spiking_learned_gate":
                del kept.arrays["gain_attended"], kept.arrays["gain_ignored"]
        assert "spiking learned gate" not in texts(drawing.attention(no_condition))
    titles = [axis.get_title(loc="left").partition(":")[0] for axis in figure.axes[:3]]
    assert titles == ["softmax attention", "spiking learned gate", "spiking gated"]
    np.testing.assert_allclose(figure.axes[1].images[0].get_array(), [[0.925, 0.075], [0.325, 0.675]])
    assert overhang(figure) < 0.01


def test_a_folder_that_cannot_be_written_is_named(tmp_path, whole):
    (tmp_path / "taken").write_text("a file where a folder should be")
    with figures.style():
        drawn = {"accuracy": drawing.accuracy(whole)}
    with pytest.raises(PlasticityError, match="taken.*--out"):
        figures.save(drawn, tmp_path / "taken")


# The figures of the reference runs


def reference(name, **settings):
    """The figures of a reference run, with some settings changed; nothing is simulated."""
    result = results.load(REFERENCE / name)
    if not settings:
        return result.figures()
    made = from_configuration(SIMULATIONS[name], result.configuration["settings"] | settings)
    return figures.draw_all(made.figures(made.arrays_of(Record.load(REFERENCE / name / "records" / RECORD))))


def overhang(figure):
    """How far, in inches, anything drawn goes beyond the edge of the figure, legends and titles among it."""
    figure.draw_without_rendering()
    drawn = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    return max(-drawn.x0, -drawn.y0, drawn.x1 - width, drawn.y1 - height)


@pytest.mark.full
@pytest.mark.parametrize("name", sorted({path.relative_to(REFERENCE).parts[0] for path in REFERENCE.rglob("*.npz")}))
def test_nothing_in_a_reference_figure_is_cut_off(name):
    for title, figure in reference(name).items():
        assert overhang(figure) < 0.01, title  # less than 2 pixels


def test_distributions_of_weights_say_their_seeds_and_unit_and_no_legend_covers_them():
    gains, found = (1.0, 4.0), {"attention": np.random.default_rng(0).random((2, 3, 2, 20))}  # (gains, seeds, groups, inputs)
    figure = draw(attention_gain.distributions(gains, found))
    assert "all synapses of 3 seeds together" in texts(figure) and "weight at the end\n(no unit)" in texts(figure)
    assert overhang(figure) < 0.01 and not any(axis.get_legend() for axis in figure.axes)
    (legend,) = figure.legends
    assert legend.get_window_extent().y1 < min(axis.get_window_extent().y0 for axis in figure.axes)
    assert "the synapses of one seed" in texts(
        draw(attention_gain.distributions(gains, {"attention": found["attention"][:, :1]}))
    )


@pytest.mark.parametrize("preset", ["visual_cortex_nearest_full", "hippocampus_nearest_full"])
@pytest.mark.parametrize("name", ["triplet_frequency", "triplet_protocols"])
def test_nothing_is_cut_off_with_a_single_preset(name, preset):
    drawn = reference(name, presets=[preset])
    assert drawn.keys() >= {preset.partition("_nearest")[0]}
    for title, figure in drawn.items():
        assert overhang(figure) < 0.01, title


def test_a_legend_takes_fewer_columns_where_the_figure_is_narrow():
    columns = []
    for width in (8.0, 3.0):
        with figures.style():
            figure, axes = figures.new(width, 3.0)
            for word in ("first", "second", "third"):
                axes[0, 0].plot([0, 1], label=f"a rather long name, the {word}")
            figures.legend(figure, *axes[0, 0].get_legend_handles_labels(), columns=3)
            assert overhang(figure) < 0.01
        columns.append(figure.legends[0]._ncols)
    assert columns == [3, 1]


@pytest.mark.parametrize("frequency, marked", [(1.0, False), (20.0, True)])
def test_the_window_says_which_lags_are_beyond_half_a_period_and_no_legend_covers_it(frequency, marked):
    figure = reference("stdp_window", frequency=frequency)["window"]
    assert overhang(figure) < 0.01
    assert ("beyond half a period (25 ms)" in texts(figure)) == marked
    assert "95 % interval" in texts(figure)
    for axis in figure.axes:
        assert axis.get_legend().get_window_extent().y1 < axis.get_window_extent().y0


@pytest.mark.full
def test_the_raster_shows_the_same_length_of_time_on_both_sides_and_rates_stand_at_their_targets():
    drawn = reference("inhibitory_balance")
    assert len({axis.get_xlim() for axis in drawn["raster"].axes}) == 1
    for line in drawn["fixed_point"].axes[0].lines[1:]:
        assert list(line.get_xdata()) == [3, 5]
    assert "log scale" in drawn["time_course"].axes[2].get_ylabel()
    axis = drawn["time_course"].axes[2]
    assert axis.get_ylim()[0] == min(0, axis.dataLim.y0)  # no correlation of the record is below 0, but an interval over seeds


def test_the_target_looks_the_same_in_every_panel_and_minus_signs_are_true():
    drawn = reference("distal_reward")
    looks = [
        (line.get_color(), line.get_linestyle())
        for axis in drawn["target_weight"].axes
        for line in axis.lines
        if str(line.get_label()).startswith("target")
    ]
    assert len(looks) == 3 and len(set(looks)) == 1
    assert "R - " not in texts(drawn["reward_expectation"]) and "R \N{MINUS SIGN} expected" in texts(drawn["reward_expectation"])
    assert "lag \N{MINUS SIGN}10 ms" in texts(reference("voltage_stdp")["burst"])


def test_a_panel_of_another_scale_says_so():
    *others, marked = sorted(
        reference("triplet_frequency")["hippocampus"].axes, key=lambda axis: "other scale" in axis.get_title("left")
    )
    assert marked.get_title("left").startswith("all-to-all full")
    assert len({axis.get_ylim() for axis in others}) == 1 and marked.get_ylim() != others[0].get_ylim()


def test_no_interval_is_claimed_of_a_single_seed():
    assert figures.over_seeds(1) == "one seed, no interval"
    assert "mean over 3 seeds" in figures.over_seeds(3) and "95 % interval" in figures.over_seeds(3)


@pytest.mark.full
@pytest.mark.parametrize("name", ["cued_digits", "digits"])
def test_no_number_of_the_accuracies_crosses_a_line(name):
    with figures.style():
        figure = drawing.accuracy(Comparison.load(REFERENCE / name))
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw_without_rendering()
        (axis,) = figure.axes
        across = [line.get_xdata() for line in axis.lines]
        lines = [axis.transData.transform((x[0], 0))[0] for x in across if len(x) == 2 and x[0] == x[1]]
        boxes = [text.get_window_extent(renderer) for text in axis.texts if "[" in text.get_text()]
    assert len(lines) >= 2 and len(boxes) >= 5
    assert not [box for box in boxes for line in lines if box.x0 <= line <= box.x1]
    assert all(0 <= box.x0 and box.x1 <= figure.bbox.width for box in boxes)
