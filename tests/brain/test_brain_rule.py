"""The rule: examples as a table, laws, and a parser that no text can break."""

import ast
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.rule import MAX_DEPTH, MAX_LENGTH, parse_rule

EXAMPLES = [
    ("BC_L-BC_R", ("BC_L", "BC_R"), (0.5, 0.2), 0.3),
    ("bc_l", ("BC_L",), (0.5,), 0.5),
    (" A + B * 2 ", ("A", "B"), (1.0, 3.0), 7.0),
    ("(A+B)*2", ("A", "B"), (1.0, 3.0), 8.0),
    ("A-B-C", ("A", "B", "C"), (1.0, 2.0, 4.0), -5.0),
    ("A/B/C", ("A", "B", "C"), (8.0, 2.0, 4.0), 1.0),
    ("-A--B", ("A", "B"), (1.0, 2.0), 1.0),
    ("-(A-B)/.5", ("A", "B"), (1.0, 2.0), 2.0),
    ("1e-2*M2_L+2.", ("M2_L",), (100.0,), 3.0),
    ("B-A+B", ("B", "A"), (1.0, 10.0), -8.0),
    ("_x1*3", ("_X1",), (2.0,), 6.0),
]

BAD = [
    ("", "column 1"),
    ("   ", "the end"),
    ("A-", "column 3"),
    ("A B", "column 3"),
    ("(A", "closing bracket"),
    ("A)", "column 2"),
    ("2A", "column 2"),
    ("+A", "column 1"),
    ("A−B", "column 2"),
    ("A**B", "column 3"),
    ("A%B", "column 2"),
    ("A;B", "column 2"),
    ("A.B", "column 2"),
    ("1+2", "names no ROI"),
    ("A*1e999", "below 1e308"),
    ("(" * (MAX_DEPTH + 1) + "A" + ")" * (MAX_DEPTH + 1), "flatter"),
    ("-" * (MAX_DEPTH + 1) + "A", "flatter"),
    ("A+" * MAX_LENGTH + "A", "too long"),
    ("__import__('os').system('true')", "column 11"),
]


@pytest.mark.parametrize(("text", "names", "values", "expected"), EXAMPLES)
def test_examples(text, names, values, expected):
    rule = parse_rule(text)
    assert rule.names == names
    assert rule.text == text.strip()
    assert rule.evaluate(values) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(("text", "complaint"), BAD)
def test_a_bad_formula_is_an_error_that_says_where(text, complaint):
    with pytest.raises(ValueError, match="write") as caught:
        parse_rule(text)
    assert complaint in str(caught.value)


def test_clopy_fault_07_times_and_divide_in_a_rule_and_any_number_of_rois():
    names = [f"R{i}" for i in range(12)]
    rule = parse_rule("*".join(names[:6]) + "/" + "/".join(names[6:]))
    assert rule.names == tuple(names)
    assert rule.evaluate([2.0] * 6 + [1.0] * 6) == 64.0


@pytest.mark.parametrize("text", ["A/B", "A/(B-B)", "1/B-A", "A/-B"])
def test_division_by_zero_gives_nan(text):
    rule = parse_rule(text)
    assert math.isnan(rule.evaluate((1.0, 0.0) if rule.names == ("A", "B") else (0.0, 1.0)))


def test_overflow_and_numpy_scalars_do_not_raise():
    rule = parse_rule("A*B/A-A*B")
    assert math.isnan(rule.evaluate((1e300, 1e300)))
    assert math.isnan(parse_rule("A/B").evaluate(np.array([1.0, 0.0])))
    assert parse_rule("A*A").evaluate((1e200,)) == math.inf


def test_as_long_and_as_deep_as_allowed():
    assert parse_rule("+".join(["A"] * (MAX_LENGTH // 2))).evaluate((1.0,)) == MAX_LENGTH // 2
    assert parse_rule("(" * MAX_DEPTH + "A" + ")" * MAX_DEPTH).evaluate((3.0,)) == 3.0


def test_wrong_number_of_values():
    with pytest.raises(ValueError, match="given 1 values"):
        parse_rule("A-B").evaluate((1.0,))


def test_rules_of_one_text_are_equal():
    assert parse_rule("A-B") == parse_rule(" A-B ") != parse_rule("A+B")


@given(st.text(max_size=60) | st.text(alphabet="AB_1.e+-*/() ", max_size=40))
def test_any_text_is_a_rule_or_a_value_error(text):
    try:
        rule = parse_rule(text)
    except ValueError:
        return
    assert rule.names
    assert isinstance(rule.evaluate([0.5] * len(rule.names)), float)


def _formulas():
    leaves = st.sampled_from(["A", "B", "C_L", "2", "0.25"])
    return st.recursive(
        leaves,
        lambda inner: (
            st.tuples(inner, st.sampled_from("+-*/"), inner).map("".join)
            | inner.map(lambda text: f"({text})")
            | inner.map(lambda text: f"-{text}")
        ),
        max_leaves=12,
    )


@given(_formulas(), st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.1, 3.0]), min_size=3, max_size=3))
def test_formulas_mean_what_they_mean_in_python(text, numbers):
    known = dict(zip(("A", "B", "C_L"), numbers, strict=True))
    try:
        rule = parse_rule(text)
    except ValueError:
        assert not set("ABC") & set(text)
        return
    ours = rule.evaluate([known[name] for name in rule.names])
    try:
        expected = _interpret(ast.parse(text, mode="eval").body, known)
    except ZeroDivisionError:
        assert math.isnan(ours)
        return
    assert ours == expected


def _interpret(node, known):
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.Name):
        return known[node.id]
    if isinstance(node, ast.UnaryOp):
        return -_interpret(node.operand, known)
    left, right = _interpret(node.left, known), _interpret(node.right, known)
    kind = type(node.op)
    if kind is ast.Add:
        return left + right
    if kind is ast.Sub:
        return left - right
    return left * right if kind is ast.Mult else left / right
