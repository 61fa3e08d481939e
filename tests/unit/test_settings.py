"""Settings declared once as dataclass fields, and registries that answer an unknown name with the known ones."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from brian2 import ms

from plasticity import settings
from plasticity.errors import PlasticityError, WrongUse, unknown
from plasticity.learners import DiehlCookClassifier, SpikingClassifier
from plasticity.learners.spiking_classifier import COMPETITION_STDP
from plasticity.registry import Registry
from plasticity.settings import changed, configure, describe, parse, setting


@dataclasses.dataclass(frozen=True)
class Garden:
    name: ClassVar[str] = "garden"
    beds: int = setting(3, "how many beds", low=1, high=20)
    water: float = setting(2.5, "water a day", "litre", low=0)
    soil: str = setting("sand", "what is in them", choices=("sand", "clay"))
    fenced: bool = setting(False, "whether rabbits stay out")
    rows: tuple[int, ...] = setting((1, 2), "plants in each row", low=1)
    owner: str = "nobody"  # not a setting


def test_describe_lists_the_settings_in_order_with_default_unit_help_and_choices():
    listed = describe(Garden)
    assert [s.name for s in listed] == ["beds", "water", "soil", "fenced", "rows"] and listed == describe(Garden())
    water, soil = listed[1], listed[2]
    assert (water.default, water.unit, water.help, water.choices) == (2.5, "litre", "water a day", ())
    assert soil.choices == ("sand", "clay")


def test_texts_become_the_type_of_the_setting():
    made = configure(Garden, parse(["beds=5", " water = 1e1 ", "soil=clay", "fenced=yes", "rows=4,5,6"]))
    assert made == Garden(beds=5, water=10.0, soil="clay", fenced=True, rows=(4, 5, 6))
    assert isinstance(made.beds, int) and isinstance(made.water, float)


def test_values_of_the_right_type_pass_as_they_are():
    assert configure(Garden, {"beds": 20, "water": 1, "rows": (7,)}) == Garden(beds=20, water=1, rows=(7,))
    assert configure(Garden, {}) == Garden()


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes"])
def test_words_for_true(text: str):
    assert configure(Garden, {"fenced": text}).fenced is True and configure(Garden, {"fenced": "no"}).fenced is False


def test_a_text_may_hold_an_equals_sign_and_a_key_is_given_once():
    assert parse(["formula=a=b", "beds=1"]) == {"formula": "a=b", "beds": "1"} and parse([]) == {}
    with pytest.raises(WrongUse, match="--set gives beds twice, 1 and 2; give it once."):
        parse(["beds=1", "beds=2"])


@pytest.mark.parametrize("text", ["beds", "=3", " =3", "", "beds=", "beds= ", "="])
def test_a_text_that_is_no_assignment_is_refused_with_an_example(text: str):
    with pytest.raises(WrongUse, match="--set takes key=value, not .*; write --set KEY=VALUE"):
        parse([text])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bets": "3"}, "unknown setting of garden 'bets'. Did you mean 'beds'. Known: beds, fenced, rows, soil, water"),
        ({"owner": "me"}, "unknown setting of garden 'owner'"),
        ({"beds": "three"}, "garden: beds='three' is not understood; give a whole number"),
        ({"beds": "2.5"}, "garden: beds='2.5' is not understood; give a whole number"),
        ({"beds": 2.5}, "garden: beds=2.5 is not of type int; an example is"),
        ({"beds": True}, "garden: beds=True is not of type int"),
        ({"beds": None}, "garden: beds=None is not of type int"),
        ({"water": "much"}, "garden: water='much' is not understood; give a number without its unit"),
        ({"fenced": "perhaps"}, "garden: fenced='perhaps' is not understood; give true or false"),
        ({"fenced": 1}, "garden: fenced=1 is not of type bool"),
        ({"rows": "1,two"}, "garden: rows='1,two' is not understood; give values with commas"),
        ({"rows": 3}, "garden: rows=3 is not of type tuple"),
        ({"soil": 7}, "garden: soil=7 is not of type str"),
        ({"soil": "clai"}, "unknown value for soil of garden 'clai'. Did you mean 'clay'. Known: clay, sand"),
        ({"beds": "0"}, "garden: beds=0 is outside 1 to 20"),
        ({"beds": 21}, "garden: beds=21 is outside 1 to 20"),
        ({"water": "-1"}, "garden: water=-1.0 is outside 0 to inf litre"),
        ({"water": "nan"}, "garden: water='nan' is not understood; give a number without its unit"),
        ({"beds": "1_0"}, "garden: beds='1_0' is not understood"),
        ({"beds": "+5"}, "garden: beds=.* is not understood"),
        ({"beds": "\N{ARABIC-INDIC DIGIT THREE}"}, "garden: beds=.* is not understood"),
        ({"water": "1_0.5"}, "garden: water=.* is not understood"),
        ({"water": "1e999"}, "garden: water=.* is not understood"),
        ({"rows": "1,,2"}, "garden: rows=.* is not understood"),
        ({"water": math.nan}, "garden: water=nan is outside"),
        ({"rows": "1,0"}, "garden: rows=0 is outside 1 to inf"),
        ({"water": "inf"}, "garden: water=inf must be finite and 0 or more litre"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused_by_name(values: dict[str, Any], message: str):
    with pytest.raises(WrongUse, match=message):
        configure(Garden, values)


@pytest.mark.parametrize("name", ["beds", "water"])
def test_a_whole_number_that_no_float_holds_is_outside_like_any_other(name: str):
    with pytest.raises(WrongUse, match=f"garden: {name}=10+... is outside"):
        configure(Garden, {name: 10**400})


def test_check_refuses_an_instance_made_by_hand():
    settings.check(Garden())
    with pytest.raises(WrongUse, match="garden: beds=99 is outside 1 to 20"):
        settings.check(Garden(beds=99))


@pytest.mark.parametrize(
    "made", [Garden(), Garden(beds=7, water=0.1, soil="clay", fenced=True, rows=(4,)), Garden(water=1e-7, rows=())], ids=str
)
def test_a_text_made_of_a_value_gives_that_value_again(made: Garden):
    told = {entry.name: settings.text(getattr(made, entry.name)) for entry in describe(Garden)}
    assert all(isinstance(word, str) for word in told.values()) and configure(Garden, told) == made


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "none"),
        ((1, 2), "1,2"),
        ([0.5], "0.5"),
        ("a b", "a b"),
        ({"name": "pair_stdp", "parameters": {}}, "pair_stdp"),
    ],
)
def test_values_have_the_text_that_is_typed(value: Any, text: str):
    assert settings.text(value) == text


class Elsewhere:
    """An estimator that declares nothing."""

    def __init__(self, depth: Any = None, sizes: tuple[int, ...] = (4, 5), shape: Any = Garden(), random_state: int = 0):
        self.depth, self.sizes, self.shape, self.random_state = depth, sizes, shape, random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return dict(vars(self))

    def set_params(self, **values: Any) -> Elsewhere:
        vars(self).update(values)
        return self


def test_texts_for_an_estimator_from_elsewhere_become_what_its_defaults_are():
    made = settings.changed(Elsewhere(), {"depth": "3", "sizes": "1,2,3", "shape.beds": "5"})
    assert (made.depth, made.sizes, made.shape) == (3, (1, 2, 3), Garden(beds=5))
    for text, value in {"0.5": 0.5, "none": None, "auto": "auto"}.items():
        assert settings.changed(Elsewhere(), {"depth": text}).depth == value
    with pytest.raises(WrongUse, match="shape cannot be written on the command line; set it in Python"):
        settings.changed(Elsewhere(), {"shape": "round"})
    with pytest.raises(WrongUse, match="unknown parameter of Elsewhere 'random_state'"):
        settings.changed(Elsewhere(), {"random_state": "1"})


# -- registry --------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Tool:
    name: str
    weight: float = 1.0


SHED: Registry[Tool] = Registry("tool", [Tool("rake"), Tool("spade", 2.0)])


def test_a_registry_is_a_mapping_of_names_in_the_order_given():
    assert isinstance(SHED, Mapping) and list(SHED) == ["rake", "spade"] and len(SHED) == 2
    assert SHED["spade"].weight == 2.0 and "rake" in SHED and "hoe" not in SHED
    assert dict(SHED) == {"rake": Tool("rake"), "spade": Tool("spade", 2.0)}


def test_a_registry_answers_an_unknown_name_with_the_closest_and_the_known_ones():
    with pytest.raises(WrongUse, match="unknown tool 'spate'. Did you mean 'spade'. Known: rake, spade."):
        SHED["spate"]
    for far in ("xylophone", "rope", "r", ""):
        with pytest.raises(WrongUse, match=f"unknown tool '{far}'. Known: rake, spade."):
            SHED[far]
    assert "Did you mean 'cued_digits'?" in str(unknown("task", "cued", ["digits", "cued_digits"]))  # a part of its name


def test_get_of_an_unknown_name_is_refused_like_a_lookup():
    """`Mapping.get` hides a KeyError only; a wrong name is never hidden."""
    with pytest.raises(WrongUse):
        SHED.get("spate")


def test_two_entries_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two tools are called 'rake'"):
        Registry("tool", [Tool("rake"), Tool("rake", 3.0)])


def test_wrong_use_is_a_value_error_and_a_failure_is_not():
    assert issubclass(WrongUse, ValueError) and issubclass(WrongUse, PlasticityError)
    assert not issubclass(PlasticityError, ValueError)
    assert str(unknown("tool", "hoe", [])) == "unknown tool 'hoe'. Known: none."


def test_a_setting_that_was_added_later_is_in_a_record_where_it_is_not_the_default():
    @dataclasses.dataclass(frozen=True)
    class Grown:
        old: int = setting(1, "there from the beginning")
        new: str = setting("", "added later", later=True)

    assert settings.recorded(Grown()) == {"old": 1} and settings.recorded(Grown(2, "x")) == {"old": 2, "new": "x"}


def test_a_quantity_has_one_text_whatever_units_were_used_before():
    from brian2 import mV, pF, psiemens, register_new_unit

    from plasticity.rules import RULES

    def told() -> list[Any]:
        return [settings.plain(rule) for rule in RULES.values()] + [str(settings.written(2 * pF / psiemens))]

    before = told()
    register_new_unit(1 / mV**2)
    register_new_unit(pF / psiemens)
    assert told() == before and "0.00014 mV^-1" in str(before)


def test_a_parameter_of_a_rule_is_set_like_one_of_a_gate_a_time_in_ms():
    made = changed(SpikingClassifier(), {"rule.A_plus": "0.02", "rule.tau_plus": "17"})
    assert made.rule.parameters == {**COMPETITION_STDP.parameters, "A_plus": 0.02, "tau_plus": 17 * ms}
    made = changed(SpikingClassifier(), {"rule": "triplet_stdp", "rule.tau_x": 90})
    assert made.rule.name == "triplet_stdp" and made.rule.parameters["tau_x"] == 90 * ms
    made = changed(DiehlCookClassifier(), {"rule.A_plus": "0.5"})  # whose default is a name
    assert made.rule.name == "diehl_cook" and made.rule.parameters["A_plus"] == 0.5
    with pytest.raises(WrongUse, match=r"unknown parameter of pair_stdp 'A_pluss'. Did you mean 'A_plus'\?"):
        changed(SpikingClassifier(), {"rule.A_pluss": "1"})
    with pytest.raises(WrongUse, match="tau_plus='long' is not a number of ms"):
        changed(SpikingClassifier(), {"rule.tau_plus": "long"})
