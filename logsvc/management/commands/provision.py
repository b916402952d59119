"""Make the log service know the tokens of this system's services, and its operator."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission, User

from config import accounts, commands
from config.tokens import issuing

# Services that show records to people, besides logging their own.
_READERS = frozenset({"webui"})
OPERATORS = "operators"
PERMISSIONS = {
    "logsvc": [
        "view_records",
        "view_retentionrule",
        "add_retentionrule",
        "change_retentionrule",
        "delete_retentionrule",
    ],
    "tokens": ["view_token", "view_auditentry"],
}


class Command(commands.Command):
    help = (
        "Make the tokens with which this system's services log known to the log service, and for the admin the "
        "operator's account and the group 'operators'. Idempotent."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the accounts and their passwords")

    def run(self, **options: Any) -> None:
        for service, token in settings.SERVICE_TOKENS.items():
            scopes = [f"write:{service}", *(["log:read"] if service in _READERS else [])]
            issuing.ensure(name=service, scopes=scopes, token=token)
        operator, _ = User.objects.get_or_create(username="operator", defaults={"is_staff": True, "is_superuser": True})
        accounts.ensure_password(operator, settings.OPERATOR_PASSWORD)
        group, _ = Group.objects.get_or_create(name=OPERATORS)
        for app, codenames in PERMISSIONS.items():
            group.permissions.add(*Permission.objects.filter(content_type__app_label=app, codename__in=codenames))
        operator.groups.add(group)
        if options["json"]:
            self.print_json({"operator": settings.OPERATOR_PASSWORD})
