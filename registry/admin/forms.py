"""What an operator is asked before something is done."""

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

REASON_LENGTH = 500
A_YEAR_IN_MINUTES = 525_600


def _reason(*, required: bool) -> forms.CharField:
    return forms.CharField(
        max_length=REASON_LENGTH,
        required=required,
        widget=UnfoldAdminTextInputWidget,
        help_text="Shown to everybody, and kept in the journal.",
    )


class NothingToAsk(forms.Form):
    pass


class ReasonForm(forms.Form):
    reason = _reason(required=False)


class MaintenanceForm(forms.Form):
    reason = _reason(required=True)
    minutes = forms.IntegerField(
        min_value=1,
        max_value=A_YEAR_IN_MINUTES,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="It ends by itself after so long. Empty: not before somebody ends it.",
    )


class DrainForm(forms.Form):
    seconds = forms.IntegerField(
        min_value=0,
        max_value=86_400,
        initial=30,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="So long it may finish what it does; then it is deregistered.",
    )
    reason = _reason(required=False)


class ReplayForm(forms.Form):
    since = forms.IntegerField(
        label="Since revision",
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="It is told again, as one net change, what has happened after this revision.",
    )
