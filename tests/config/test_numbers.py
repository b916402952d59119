from argparse import ArgumentTypeError

import pytest
from django import forms

from config import numbers
from config.admin.forms import WholeNumberField

# What Python's int() or float() takes, too.
ODD = ["1_0", "1e1", "+1", " 1", "1\n", "\uff11\uff10", "\u0661\u0660", "0x1", "nan", "inf", "", "9" * 19]


@pytest.mark.parametrize("text", [*ODD, "1.5", "-1"])
def test_a_whole_number_is_ascii_digits_alone(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a whole number"):
        numbers.whole(text)
    with pytest.raises(forms.ValidationError):
        WholeNumberField().clean(text)


@pytest.mark.parametrize("text", [*ODD, "-", "1.", ".5", "1.5.5", "1,5"])
def test_a_decimal_number_is_ascii_digits_and_a_point(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a number"):
        numbers.decimal(text)


def test_numbers_are_read() -> None:
    assert (numbers.whole("010"), numbers.decimal("10"), numbers.decimal("-0.25")) == (10, 10.0, -0.25)
    assert (WholeNumberField().clean("10"), WholeNumberField(required=False).clean("")) == (10, None)
    assert WholeNumberField().clean(10) == 10
