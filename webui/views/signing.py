"""Signing in and out, and changing one's password, with the accounts that the web UI keeps."""

from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from config.two_step import CodeAskingForm


class SignIn(LoginView):
    template_name = "webui/sign_in.html"
    # The session opens the admin too, whose pages set an authenticator up.
    authentication_form = CodeAskingForm
    redirect_authenticated_user = True


class SignOut(LogoutView):
    next_page = "sign-in"


class ChangePassword(PasswordChangeView):
    template_name = "webui/change_password.html"
    success_url = reverse_lazy("home")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        messages.success(self.request, _("Your password is changed; other sessions of yours have ended."))
        return super().form_valid(form)
