"""Signing in and out, with the accounts that the web UI keeps."""

from django.contrib.auth.views import LoginView, LogoutView


class SignIn(LoginView):
    template_name = "webui/sign_in.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    next_page = "sign-in"
