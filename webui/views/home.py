"""The first page: teachers and students get their courses, operators the status."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from webui.roles import LEARNING, TEACHING, Role, opens_to, roles_of


@require_safe
@opens_to()
def show_home(request: HttpRequest) -> HttpResponse:
    roles = roles_of(request.user)
    if roles & (TEACHING | LEARNING):
        return redirect("courses")
    if Role.OPERATOR in roles:
        return redirect("status")
    return render(request, "webui/no_role.html")
