"""Signing in and out, changing the password, and choosing the colours of the pages."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.two_step import CodeAskingForm
from webui import appearance


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


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Set the theme for this browser, signed in or not; leads back to the page that the choice was made on."""
    page = request.POST.get("next", "")
    is_own = page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    response = HttpResponseRedirect(page if is_own else reverse("home"))
    theme = appearance.read(request.POST.get("theme", ""))
    response.set_cookie(
        *(appearance.COOKIE, theme),
        max_age=appearance.COOKIE_SECONDS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response
