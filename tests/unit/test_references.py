"""Who is cited for what: identifiers in source texts, BibTeX, the citations of a run, the curve of a rule."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sklearn.tree import DecisionTreeClassifier

from bridges.comparison.run import configuration_of
from bridges.learners import LEARNERS, resolve
from plasticity.learners import SpikingClassifier
from plasticity.neurons import NEURONS
from plasticity.references import bibtex, entries, identifiers
from plasticity.rules import RULES, pair_stdp
from plasticity.rules.shown import preview
from plasticity.tasks import TASKS, Digits
from simulations import SIMULATIONS
from simulations.command_line import main
from simulations.frame.citations import cited, reproductions, used
from simulations.frame.known import everything
from simulations.frame.shown import by_kind, counted, counted_by_kind, rows
from simulations.frame.tables import held

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"


def test_identifiers_are_found_with_the_brackets_that_belong_to_them():
    text = "A (2001, doi:10.1016/S0896-6273(01)00451-2); b (doi:10.1038/78829). c arXiv:1706.03762, b doi:10.1038/78829."
    assert identifiers(text) == ["10.1016/S0896-6273(01)00451-2", "10.1038/78829", "arXiv:1706.03762"]


def test_every_entry_says_who_what_and_when():
    keys = set()
    for entry in entries().values():
        keys.add(re.match(r"@\w+\{(\w+),", entry)[1])  # type: ignore[index]
        assert all(f"\n  {field} = {{" in entry for field in ("author", "title", "year"))
        assert entry.count("{") == entry.count("}")
    assert len(keys) == len(entries())


def test_a_reference_without_an_entry_is_told_and_hides_no_other():
    told = bibtex(["10.1000/Nothing", "10.1038/78829"])
    assert told.startswith("@article{") and told.endswith(
        "% no entry for 10.1000/nothing: take it from https://doi.org/10.1000/nothing and add it to plasticity/references.bib"
    )


def test_a_rule_that_was_chosen_is_cited_instead_of_the_simulations_own():
    registries = {"rules": RULES, "simulations": SIMULATIONS}

    def papers(**settings):
        return cited({"simulation": "stdp_window", "settings": settings}, registries, [])

    song, vogels, scaling = "10.1038/78829", "10.1126/science.1211095", "10.1038/36103"
    assert song in papers(rule="pair_stdp") and vogels not in papers(rule="pair_stdp")
    assert vogels in papers(rule="inhibitory_stdp") and song not in papers(rule="inhibitory_stdp")
    assert {song, scaling} <= set(papers(rule="pair_stdp + synaptic_scaling"))


def said(capsys: pytest.CaptureFixture, *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code in (0, None)
    return capsys.readouterr().out


def test_a_comparison_cites_its_task_its_data_its_rule_its_models_and_its_simulators(capsys):
    out = said(capsys, "cite", str(REFERENCE / "cued_digits"))
    for key in ("alpaydin1998", "desimone1995", "song2000", "diehl2015", "vaswani2017", "stimberg2019", "paszke2019"):
        assert re.search(rf"^@\w+\{{{key},", out, re.MULTILINE), key
    assert "lecun1998" not in out  # MNIST was not used


def asked(**learners):
    """The configuration of a comparison of these learners, by name."""
    task = Digits()
    found = resolve([*learners.items()] if learners else None, {}, task)
    return configuration_of(task, found, [0])


def neurons(configuration):
    return {name for kind, name in used(configuration, everything()) if kind == "neurons"}


def test_a_comparison_cites_what_its_own_learners_are_made_of_and_no_others():
    of_classifier, of_network = set(SpikingClassifier.uses), {"diehl_cook", "lif_conductance"}
    assert of_classifier and of_classifier <= set(NEURONS) and not of_classifier & of_network
    with_network = asked(diehl_cook=LEARNERS["diehl_cook"].build(), guessing=LEARNERS["guessing"].build())
    with_classifier = asked(spiking_gated=LEARNERS["spiking_gated"].build(), guessing=LEARNERS["guessing"].build())
    assert neurons(with_network) == {"lif_conductance"}
    assert neurons(with_classifier) == of_classifier
    assert neurons(asked(guessing=LEARNERS["guessing"].build())) == set()


def test_a_word_of_a_learners_own_is_not_the_rule_of_that_name():
    task = TASKS["associative_recall"]()
    told = used(configuration_of(task, resolve(["hebb_memory"], {}, task), [0]), everything())
    assert ("learners", "hebb_memory") in told and ("rules", "hebb") not in told


@pytest.mark.parametrize("name", ["SpikingClassifier", "mine"])
def test_a_learner_that_was_given_in_python_is_cited_as_well(name):
    configuration = asked(**{name: SpikingClassifier()})
    assert neurons(configuration) == set(SpikingClassifier.uses)
    assert "10.3389/fncom.2015.00099" in cited(configuration, everything(), [])


def test_an_estimator_from_elsewhere_under_a_known_name_is_not_that_learner():
    configuration = asked(diehl_cook=DecisionTreeClassifier())
    assert neurons(configuration) == set() and "10.3389/fncom.2015.00099" not in cited(configuration, everything(), [])


def test_a_simulation_cites_its_own_rules_and_not_others(capsys):
    told = json.loads(said(capsys, "cite", str(REFERENCE / "stdp_window"), "--json"))
    assert "10.1038/78829" in told["references"] and "10.1038/nn.2479" not in told["references"]
    assert "arXiv:1912.01703" not in told["references"] and told["bibtex"].count("@") == len(set(told["references"]))


@pytest.mark.parametrize("name", RULES)
def test_show_tells_a_rules_equations_source_and_reproductions(capsys, name):
    out = said(capsys, "show", name)
    assert "reproductions: " in out and RULES[name].source.split(";")[0][:40] in out
    assert ("closed form" in out) == bool(RULES[name].closed_form or RULES[name].clamped)


def test_the_curve_of_pair_stdp_rises_on_the_right_and_falls_on_the_left():
    lines = preview(pair_stdp).splitlines()
    top, bottom = lines[1], lines[-2]
    assert top.index("*") > len(lines[4]) // 2 and bottom.rindex("*") <= bottom.index("|") + 31


def test_the_reproductions_of_a_rule_are_the_simulations_that_are_made_of_it():
    assert "run triplet_protocols" in reproductions("triplet_stdp", SIMULATIONS)
    assert reproductions("calcium", SIMULATIONS) == ["run calcium_rule"]


def test_the_table_of_checks_counts_what_holds_and_names_what_does_not():
    checks = [
        {"name": "a", "published": 1.0, "ours": 1.1, "tolerance": 0.2, "source": "x", "holds": True, "kind": "closed_form"},
        {"name": "b|c", "published": 2.0, "ours": 9.0, "tolerance": 0.2, "source": "x", "holds": False, "kind": "paper"},
    ]
    told = [{"simulation": "s", "checks": checks}]
    assert counted(told) == "1 of 2 checks hold"
    assert (
        by_kind(told) == {"paper": (0, 1), "closed form": (1, 1)} and counted_by_kind(told) == "paper 0 of 1, closed form 1 of 1"
    )
    older = [{"simulation": "s", "checks": [{key: value for key, value in checks[0].items() if key != "kind"}]}]
    assert counted_by_kind([*told, *older]).endswith("unsaid 1 of 1")  # a record of an older version
    assert "| `run` | 0 of 1 | 1 of 1 | b\\|c (2; 9) |" in held({"run": told[0]})
    assert ("s", "a", "1", "1.1", "0.2", "yes", "closed form", "x") in rows(told)
