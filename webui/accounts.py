"""The accounts of the demonstration."""

from django.contrib.auth.models import Group, User
from django.db import transaction

from config.accounts import ensure_password
from webui.roles import Role

DEMO_ROLES = {"teacher": Role.TEACHER, "assistant": Role.ASSISTANT, "student": Role.STUDENT, "operator": Role.OPERATOR}


@transaction.atomic
def provide(*, passwords: dict[str, str]) -> None:
    """Make the groups, and each account with its password and its one group. Idempotent.

    A password that is right already is not set again: that would end the sessions of whoever is signed in.
    """
    groups = {role: Group.objects.get_or_create(name=role)[0] for role in Role}
    for username, password in passwords.items():
        user, _ = User.objects.get_or_create(username=username)
        ensure_password(user, password)
        user.groups.set([groups[DEMO_ROLES[username]]])
