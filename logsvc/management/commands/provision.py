"""Make the log service know the tokens of this system's services, and its operator."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User

from config import accounts, commands
from config.tokens import issuing

# Services that show records to people, besides logging their own.
_READERS = frozenset({"webui"})
# The role (logsvc/migrations/0005_admin_roles.py) of the account.
ROLE = "administrator"


class Command(commands.Command):
    help = (
        "Make the tokens with which this system's services log known to the log service, and for the admin the "
        "operator's account. Idempotent."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the accounts and their passwords")

    def run(self, **options: Any) -> None:
        for service, token in settings.SERVICE_TOKENS.items():
            scopes = [f"write:{service}", *(["log:read"] if service in _READERS else [])]
            issuing.ensure(name=service, scopes=scopes, token=token)
        operator, _ = User.objects.get_or_create(username="operator", defaults={"is_staff": True, "is_superuser": True})
        accounts.ensure_password(operator, settings.OPERATOR_PASSWORD)
        operator.groups.add(*Group.objects.filter(name=ROLE))
        if options["json"]:
            self.print_json({"operator": settings.OPERATOR_PASSWORD})
