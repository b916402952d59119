"""The fields that the admins' confirmation pages share."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from config import escaping, numbers

REASON_LENGTH = 500


class PrintableField(forms.CharField):
    """A line of text without control, bidirectional or invisible characters."""

    def clean(self, value: Any) -> str:
        cleaned: str = super().clean(value)
        if any(map(escaping.is_acting, cleaned)):
            raise forms.ValidationError("Leave out control and invisible characters.")
        return cleaned


class WholeNumberField(forms.IntegerField):
    """A whole number from 0 on, in ASCII digits (config/numbers.py)."""

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str) and value and not numbers.is_whole(value):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        number: int | None = super().to_python(value)
        return number


def reason(*, help_text: str, required: bool = False) -> forms.CharField:
    return PrintableField(
        max_length=REASON_LENGTH, required=required, widget=UnfoldAdminTextInputWidget, help_text=help_text
    )
