"""Encrypt every secret in the database again, with the first of the keys."""

from typing import Any

from django.apps import apps
from django.db import transaction

from config import commands
from config.commands import Report
from config.encryption import EncryptedTextField

CHUNK = 500


class Command(commands.Reporting):
    help = (
        "Encrypt the secrets in the database with the first key of <SERVICE>_ENCRYPTION_KEYS, those that an earlier "
        "version stored as plain text too. Safe to repeat."
    )

    def report(self, **options: Any) -> Report:
        counts = {
            f"{model._meta.label}.{field.name}": _encrypt_anew(model, field.name)
            for model in apps.get_models()
            for field in model._meta.get_fields()
            if isinstance(field, EncryptedTextField)
        }
        lines = [f"{name}: {count} encrypted." for name, count in counts.items()]
        return Report(lines=lines or ["This service keeps no secrets of that kind."], body=counts)


def _encrypt_anew(model: Any, name: str) -> int:
    """Encrypt a column in chunks, locking each row, so that no recent change is undone."""
    rows = model._default_manager.exclude(**{name: None})
    keys = list(rows.values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        with transaction.atomic():
            for row in rows.select_for_update().filter(pk__in=keys[start : start + CHUNK]).only(name):
                row.save(update_fields=[name])
    return len(keys)
