"""Two-step sign-in, beside the password: a code of an authenticator app (TOTP, RFC 6238), if the account has one."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django_otp.plugins.otp_totp.models import TOTPDevice

CODE_ATTRIBUTES = {"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "6"}


class CodeAskingForm(AuthenticationForm):
    """Asks for a code if the account has an authenticator; the password alone is then not enough."""

    code = forms.CharField(
        label="Authenticator code",
        required=False,
        widget=forms.TextInput(attrs=CODE_ATTRIBUTES),
        help_text="Only when you have set up two-step sign-in.",
    )

    # Whether the password was right and a code is missing or wrong.
    wants_code = False

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        user = self.get_user()
        device = device_of(user) if user is not None else None
        if user is None or device is None:
            return cleaned
        code = cleaned.get("code", "")
        # A missing code is not a guess, for which the device would impose a delay.
        if not code or not device.verify_token(code):
            self.wants_code = True
            raise forms.ValidationError("Give the six digits that your authenticator app shows now.")
        # Where django_otp looks when the sign-in succeeds.
        vars(user)["otp_device"] = device
        return cleaned


def device_of(user: Any) -> TOTPDevice | None:
    """The authenticator that an account has set up."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()
