"""Make the registry know this system's services and its operator."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission, User

from config import commands
from config.tokens import acting, issuing

OPERATORS = "operators"
# What the group may do: look at everything of the registry, and operate it.
PERMISSIONS = {
    "registry": ["view_instance", "view_maintenance", "view_journalentry", "view_delivery", "operate_instance"],
    "admin": ["view_logentry"],
}


class Command(commands.Command):
    help = (
        "Make the tokens of this system's services known, and for the admin the operator's account and the group "
        "'operators'. Idempotent."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the accounts and their passwords")

    def run(self, **options: Any) -> None:
        for service, token in settings.SERVICE_TOKENS.items():
            issuing.ensure(name=service, scopes=["read", f"register:{service}"], token=token)
        issuing.ensure(
            name="webui-operators", scopes=["read", "operate", acting.SCOPE], token=settings.WEBUI_OPERATE_TOKEN
        )
        _ensure_operator(settings.OPERATOR_PASSWORD)
        if options["json"]:
            self.print_json({"operator": settings.OPERATOR_PASSWORD})


def _ensure_operator(password: str) -> None:
    operator, _ = User.objects.get_or_create(username="operator", defaults={"is_staff": True, "is_superuser": True})
    if not operator.check_password(password):
        operator.set_password(password)
        operator.save(update_fields=["password"])
    operator.groups.add(_ensure_operators())


def _ensure_operators() -> Group:
    group, _ = Group.objects.get_or_create(name=OPERATORS)
    for app, codenames in PERMISSIONS.items():
        group.permissions.add(*Permission.objects.filter(content_type__app_label=app, codename__in=codenames))
    return group
