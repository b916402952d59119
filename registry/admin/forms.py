"""The forms of the operations."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from config import escaping

REASON_LENGTH = 500
A_YEAR_IN_MINUTES = 525_600


class PrintableField(forms.CharField):
    """A line of text without control, bidirectional or invisible characters."""

    def clean(self, value: Any) -> str:
        cleaned: str = super().clean(value)
        if any(map(escaping.is_acting, cleaned)):
            raise forms.ValidationError("Leave out control and invisible characters.")
        return cleaned


def _reason(*, required: bool) -> forms.CharField:
    return PrintableField(
        max_length=REASON_LENGTH,
        required=required,
        widget=UnfoldAdminTextInputWidget,
        help_text="Kept in the audit log, and in the journal where the registry changes.",
    )


class ReasonForm(forms.Form):
    reason = _reason(required=False)


class MaintenanceForm(forms.Form):
    reason = _reason(required=True)
    minutes = forms.IntegerField(
        min_value=1,
        max_value=A_YEAR_IN_MINUTES,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="It ends by itself after so many minutes; left empty, when somebody ends it.",
    )


class DrainForm(forms.Form):
    seconds = forms.IntegerField(
        min_value=0,
        max_value=86_400,
        initial=30,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="The time to finish its requests; then it is deregistered.",
    )
    reason = _reason(required=False)


class ReplayForm(forms.Form):
    since = forms.IntegerField(
        label="Since revision",
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Everything after this revision is delivered again, as one net change.",
    )
    reason = _reason(required=False)
