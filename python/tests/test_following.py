"""Numbers that remember which argument they come from, and what Python was told of them."""

import json

import pytest

from pronghorn.lowering.expressions import defined, evaluate
from pronghorn.lowering.following import Watch, mathematics
from pronghorn.lowering.lifting import matches


def test_arguments_are_floats_that_remember_their_arithmetic():
    watch = Watch({"a": 0.3, "b": 2.0})
    a, b = watch.argument("a"), watch.argument("b")
    made = -(1 - a) / b * 3
    assert made == -(1 - 0.3) / 2.0 * 3
    assert evaluate(made.expression, {"a": 0.3, "b": 2.0}) == float(made)
    assert json.dumps([a]) == "[0.3]"
    assert max(0.0, a) is a
    assert type(float(a)) is float
    with mathematics():
        import math

        assert math.sqrt(a).expression == ("sqrt", "a")
    assert math.sqrt(a) == math.sqrt(0.3)


@pytest.mark.parametrize(
    ("question", "splits"),
    [
        (lambda a, b: a > 0, None),
        (lambda a, b: 0 <= a <= 1, None),
        (lambda a, b: bool(a), None),
        (lambda a, b: a != 0, None),
        (lambda a, b: a < 0.5, "a"),
        (lambda a, b: a == 0.5, "a"),
        (lambda a, b: int(a), None),
        (lambda a, b: int(b), "b"),
        (lambda a, b: a < b, "a"),
        (lambda a, b: bool(a - b), "a"),
        (lambda a, b: a < b + 1, None),
    ],
)
def test_an_answer_that_not_all_values_give_is_noticed(question, splits):
    watch = Watch({"a": 0.2, "b": 0.9})
    question(watch.argument("a"), watch.argument("b"))
    found = watch.dependent({"a": (0.1, 0.9), "b": (0.5, 1.5)})
    assert (found[0] if found else None) == splits


def test_an_expression_without_a_real_value_matches_nothing_and_is_not_defined():
    watch = Watch({"a": 0.3})
    root = watch.argument("a") ** 0.5
    with pytest.raises(ValueError, match="no real number"):
        evaluate(root.expression, {"a": -0.3})
    assert root.expression not in matches(watch, Watch({"a": -0.3})).values()
    assert not defined(root.expression, {"a": (-0.3, 0.3)})
    assert defined(root.expression, {"a": (0.0, 0.3)})
    assert not defined(("/", 1.0, "a"), {"a": (0.0, 0.3)})
    assert not defined(("exp", ("*", 1e9, "a")), {"a": (0.0, 0.3)})


def test_what_python_was_told_of_an_expression_without_a_real_value_depends_on_the_argument():
    watch = Watch({"a": 0.3})
    assert watch.argument("a") ** 0.5 > 0.1
    assert watch.dependent({"a": (-0.3, 0.3)}) == ("a", "a ** 0.5 > 0.1")
