"""Move records into the store: a table by time with a full-text index, whose words each database has its own."""

from typing import Any

from django.db import migrations

from logsvc.storage import first_release, postgresql, sqlite

_BATCH = 1000


def make(apps: Any, schema_editor: Any) -> None:
    vendor = schema_editor.connection.vendor
    with schema_editor.connection.cursor() as cursor:
        for statement in postgresql.SCHEMA if vendor == "postgresql" else sqlite.SCHEMA:
            cursor.execute(statement)


def move(apps: Any, schema_editor: Any) -> None:
    """Copy what was kept before, in the order of its arrival."""
    old, last = apps.get_model("logsvc", "Record"), 0
    while rows := list(old.objects.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        first_release.store(rows, vendor=schema_editor.connection.vendor)
        last = rows[-1].pk


def remove(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        tables = ["logsvc_log", "logsvc_count", "logsvc_head"]
        tables.append("logsvc_uid" if schema_editor.connection.vendor == "postgresql" else "logsvc_text")
        for table in tables:
            cursor.execute(f"DROP TABLE {table}")


class Migration(migrations.Migration):
    dependencies = [("logsvc", "0001_record")]

    operations = [
        migrations.RunPython(make, remove),
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.DeleteModel("Record"),
    ]
