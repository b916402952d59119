"""Make the token of the web UI known, and the admin's account."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission, User

from config import accounts, commands
from config.tokens import issuing

REGISTRARS = "registrars"
# Registrars see and change everything of this service in its admin; its operators see no grades.
APPS = ("grading", "admin")


class Command(commands.Command):
    help = (
        "Make known the token with which the web UI acts for people, and for the admin the account 'registrar' and the "
        "group 'registrars'. Idempotent. Example: provision"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the accounts and their passwords")

    def run(self, **options: Any) -> None:
        issuing.ensure(name="webui", scopes=["read", "write", "act-for"], token=settings.WEBUI_TOKEN)
        group, _ = Group.objects.get_or_create(name=REGISTRARS)
        group.permissions.add(*Permission.objects.filter(content_type__app_label__in=APPS))
        registrar, _ = User.objects.get_or_create(
            username="registrar", defaults={"is_staff": True, "is_superuser": True}
        )
        accounts.ensure_password(registrar, settings.REGISTRAR_PASSWORD)
        registrar.groups.add(group)
        if options["json"]:
            self.print_json({"registrar": settings.REGISTRAR_PASSWORD})
