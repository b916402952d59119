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
        counts = {}
        for model in apps.get_models():
            for field in model._meta.get_fields():
                if not isinstance(field, EncryptedTextField):
                    continue
                rows = model._default_manager.exclude(**{field.name: None})
                keys = list(rows.values_list("pk", flat=True))
                for start in range(0, len(keys), CHUNK):
                    # Each row is locked, so that no recent change is undone.
                    with transaction.atomic():
                        for row in rows.select_for_update().filter(pk__in=keys[start : start + CHUNK]).only(field.name):
                            row.save(update_fields=[field.name])
                counts[f"{model._meta.label}.{field.name}"] = len(keys)
        lines = [f"{name}: {count} encrypted." for name, count in counts.items()]
        return Report(lines=lines or ["This service keeps no secrets of that kind."], body=counts)
