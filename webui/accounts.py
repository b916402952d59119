"""The accounts of the demonstration."""

from django.contrib.auth.models import Group, User
from django.db import transaction

from config.accounts import ensure_password
from webui.roles import Role

# The role in the admin (webui/migrations/0002_admin_roles.py) of the account `operator`.
ADMIN_ROLE = "administrator"
DEMO_ROLES = {"teacher": Role.TEACHER, "assistant": Role.ASSISTANT, "student": Role.STUDENT, "operator": Role.OPERATOR}


@transaction.atomic
def provide(*, passwords: dict[str, str]) -> None:
    """Make the groups, and each account with its password and its group; `operator` administers. Idempotent.

    A password that is right already is not set again: that would end the sessions of whoever is signed in.
    """
    groups = {role: Group.objects.get_or_create(name=role)[0] for role in Role}
    for username, password in passwords.items():
        user, _ = User.objects.get_or_create(username=username)
        ensure_password(user, password)
        role = DEMO_ROLES[username]
        user.groups.set([groups[role]])
        if role == Role.OPERATOR:
            user.groups.add(Group.objects.get_or_create(name=ADMIN_ROLE)[0])
            User.objects.filter(pk=user.pk, is_staff=False).update(is_staff=True)
