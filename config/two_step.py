"""Two-step sign-in: a code of an authenticator app (TOTP, RFC 6238) beside the password, for accounts that have one."""

from typing import Any

import segno
from django import forms
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.views.generic import FormView
from django_otp import login
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold import forms as unfold_forms
from unfold.widgets import UnfoldAdminTextInputWidget

from config import admin_log
from config.admin_pages import AdminPage

_CODE = {"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "6"}


class CodeAskingForm(AuthenticationForm):
    """Asks for a code if the account has an authenticator; the password alone is then not enough."""

    code = forms.CharField(
        label="Authenticator code",
        required=False,
        widget=forms.TextInput(attrs=_CODE),
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


class SignInForm(CodeAskingForm, unfold_forms.AuthenticationForm):
    """The admin's sign-in form, in its theme."""

    code = forms.CharField(
        label=CodeAskingForm.base_fields["code"].label,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs=_CODE),
        help_text=CodeAskingForm.base_fields["code"].help_text,
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=6,
        widget=UnfoldAdminTextInputWidget(attrs=_CODE),
        help_text="The six digits that the app shows now.",
    )


class TwoStepView(AdminPage, FormView[CodeForm]):
    """An account's own page: sets an authenticator up, or removes it; both want a code of it."""

    title = "Two-step sign-in"
    template_name = "rollcall/two_step.html"
    form_class = CodeForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        assert isinstance(request.user, User), "nobody else is let into the admin"
        device = self.active = device_of(request.user)
        if device is None:
            # A draft, the same until it is confirmed.
            draft = {"name": "authenticator"}
            device, _ = TOTPDevice.objects.get_or_create(user=request.user, confirmed=False, defaults=draft)
        self.device = device

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.active:
            return super().get_context_data(**kwargs, is_active=True)
        address = self.device.config_url
        drawn = segno.make(address).svg_inline(scale=4, light="#ffffff", svgclass="rc-qr", omitsize=False)
        return super().get_context_data(**kwargs, is_active=False, address=address, qr_code=SafeString(drawn))

    def form_valid(self, form: CodeForm) -> HttpResponse:
        if not self.device.verify_token(form.cleaned_data["code"]):
            form.add_error("code", "This is not the code that the app shows now: try the next one.")
            return self.form_invalid(form)
        if self.active is not None:
            self.device.delete()
            said = "Two-step sign-in is off: the password alone signs you in."
        else:
            self.device.confirmed = True
            self.device.save(update_fields=["confirmed"])
            login(self.request, self.device)
            said = "Two-step sign-in is on: from now on you are asked for a code."
        messages.success(self.request, said)
        admin_log.add(self.request, self.request.user.get_username(), said, key=self.request.user.pk, model=User)
        return redirect("admin:index")


def device_of(user: Any) -> TOTPDevice | None:
    """The authenticator that an account has set up."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()
