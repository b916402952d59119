"""The forms of the operations."""

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from config.admin import forms as admin_forms

A_YEAR_IN_MINUTES = 525_600


def _reason(*, required: bool) -> forms.CharField:
    help_text = "Kept in the operations log, and in the journal where the registry changes."
    return admin_forms.reason(help_text=help_text, required=required)


class ReasonForm(forms.Form):
    reason = _reason(required=False)


class MaintenanceForm(forms.Form):
    reason = _reason(required=True)
    minutes = admin_forms.WholeNumberField(
        min_value=1,
        max_value=A_YEAR_IN_MINUTES,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="It ends by itself after so many minutes; left empty, when somebody ends it.",
    )


class DrainForm(forms.Form):
    seconds = admin_forms.WholeNumberField(
        min_value=0,
        max_value=86_400,
        initial=30,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="The time to finish its requests; then it is deregistered.",
    )
    reason = _reason(required=False)


class ReplayForm(forms.Form):
    since = admin_forms.WholeNumberField(
        label="Since revision",
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Everything after this revision is delivered again, as one net change.",
    )
    reason = _reason(required=False)
