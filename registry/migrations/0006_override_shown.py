from typing import Any

from django.db import migrations, models


def fill(apps: Any, schema_editor: Any) -> None:
    """Of the maintenance that holds already: that of a whole service first, because an instance's own is nearer."""
    instances = apps.get_model("registry", "Instance").objects.filter(is_in_maintenance=True)
    for each in apps.get_model("registry", "Maintenance").objects.order_by("service", "instance"):
        named = {"service": each.service} | ({"name": each.instance} if each.instance else {})
        instances.filter(**named).update(overridden_since=each.since, override_reason=each.reason)


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0005_history"),
    ]

    operations = [
        migrations.AddField(
            model_name="instance",
            name="overridden_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="instance",
            name="override_reason",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
