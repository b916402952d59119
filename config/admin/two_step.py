"""Two-step sign-in in the admin: the sign-in form in its theme, and the page on which an account sets it up."""

from typing import Any

import segno
from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.views.generic import FormView
from django_otp import login
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold import forms as unfold_forms
from unfold.widgets import UnfoldAdminTextInputWidget

from config.admin import log
from config.admin.pages import AdminPage
from config.two_step import CODE_ATTRIBUTES, CodeAskingForm, device_of


class SignInForm(CodeAskingForm, unfold_forms.AuthenticationForm):
    """The admin's sign-in form, in its theme."""

    code = forms.CharField(
        label=CodeAskingForm.base_fields["code"].label,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs=CODE_ATTRIBUTES),
        help_text=CodeAskingForm.base_fields["code"].help_text,
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=6,
        widget=UnfoldAdminTextInputWidget(attrs=CODE_ATTRIBUTES),
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
        log.add(self.request, self.request.user.get_username(), said, key=self.request.user.pk, model=User)
        return redirect("admin:index")
