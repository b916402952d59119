"""Make the tokens of this system's services known to the registry, and its operator's account."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User

from config import accounts, commands
from config.tokens import acting, issuing
from config.tokens.models import Token

OPERATOR = "operator"
# The role (registry/migrations/0011_roles.py) of the account.
ROLE = "administrator"


class Command(commands.Command):
    help = (
        "Make the tokens of this system's services known, and the admin's account 'operator'; print what changed. "
        "Idempotent."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the accounts and their passwords instead")

    def run(self, **options: Any) -> None:
        tokens = {name: (["read", f"register:{name}"], token) for name, token in settings.SERVICE_TOKENS.items()}
        tokens["webui-operators"] = (["read", "operate", acting.SCOPE], settings.WEBUI_OPERATE_TOKEN)
        before = {each["name"]: each for each in Token.objects.filter(name__in=tokens).values()}
        for name, (scopes, token) in tokens.items():
            issuing.ensure(name=name, scopes=scopes, token=token)
        after = {each["name"]: each for each in Token.objects.filter(name__in=tokens).values()}
        changed = [name for name in tokens if before.get(name) != after[name]]
        operator, is_new = User.objects.get_or_create(
            username=OPERATOR, defaults={"is_staff": True, "is_superuser": True}
        )
        account = "created" if is_new else "unchanged"
        if accounts.ensure_password(operator, settings.OPERATOR_PASSWORD):
            account = "created" if is_new else "given the password of this installation"
        operator.groups.add(*Group.objects.filter(name=ROLE))
        if options["json"]:
            self.print_json({OPERATOR: settings.OPERATOR_PASSWORD})
            return
        known = [name for name in tokens if name not in changed]
        if changed:
            self.stdout.write(f"Made known the tokens of {', '.join(changed)}.")
        if known:
            self.stdout.write(f"Unchanged: the tokens of {', '.join(known)}.")
        self.stdout.write(f"The account {OPERATOR!r}: {account}.")
