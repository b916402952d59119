"""The admin's page of who is signed in, and the confirmation before somebody's sessions are ended."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.generic import FormView, TemplateView

from config import sessions
from config.admin import cells, log
from config.admin import forms as admin_forms
from config.admin.accounts import may_touch
from config.admin.pages import AdminPage
from config.sessions import SignedIn

HEADERS = ["Account", "Groups", "Signed in", "Sessions", "End at", "Action"]


class EndingForm(forms.Form):
    reason = admin_forms.reason(help_text="Kept in the operations log.")


class SessionsView(AdminPage, TemplateView):
    title = "Sessions"
    permissions = ("auth.view_user",)
    template_name = "rollcall/sessions.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = sessions.signed_in(now=timezone.now())
        people = User.objects.filter(pk__in=[each.user.pk for each in found]).prefetch_related("groups")
        groups = {person.pk: [group.name for group in person.groups.all()] for person in people}
        rows = [self._row(each, groups.get(each.user.pk, [])) for each in found]
        return super().get_context_data(
            **kwargs, table=cells.table(HEADERS, rows) if rows else "", most=sessions.MOST_READ
        )

    def _row(self, each: SignedIn, groups: list[str]) -> list[str]:
        may_end = self.request.user.has_perm("auth.change_user") and may_touch(self.request, each.user)
        address = reverse("admin-end-sessions", args=[each.user.pk])
        return [
            cells.link(reverse("admin:auth_user_change", args=[each.user.pk]), each.user.get_username()),
            ", ".join(groups),
            cells.when(each.user.last_login),
            str(each.sessions),
            cells.when(each.until),
            format_html('<a class="rc-link" href="{}">End ...</a>', address) if may_end else "",
        ]


class EndSessionsView(AdminPage, FormView[EndingForm]):
    title = "End sessions"
    permissions = ("auth.change_user",)
    template_name = "rollcall/end_sessions.html"
    form_class = EndingForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.person = get_object_or_404(User, pk=kwargs["number"])
        if not may_touch(request, self.person):
            raise PermissionDenied

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, person=self.person)

    def form_valid(self, form: EndingForm) -> HttpResponse:
        ended, reason = sessions.end(self.person), form.cleaned_data["reason"]
        said = f"Ended {ended} session{'' if ended == 1 else 's'}."
        logged = f"{said} Reason: {reason}" if reason else said
        log.add(self.request, self.person.get_username(), logged, key=self.person.pk, model=User)
        messages.success(self.request, f"{self.person}: {said[0].lower()}{said[1:]}")
        return redirect("admin-sessions")
