import secrets
from typing import Any

from django.db import migrations, models


def begin(apps: Any, schema_editor: Any) -> None:
    """Also where nothing was written yet, so that the first change begins no other history."""
    apps.get_model("registry", "Head").objects.update_or_create(id=1, defaults={"history": secrets.token_hex(4)})


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0004_operating"),
    ]

    operations = [
        migrations.AddField(
            model_name="head",
            name="history",
            field=models.CharField(default="", max_length=8),
            preserve_default=False,
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
