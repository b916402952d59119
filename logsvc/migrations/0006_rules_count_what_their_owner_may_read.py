"""A rule counts what the token of its owner may read now, and keeps no copy of that."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("logsvc", "0005_admin_roles")]

    operations = [migrations.RemoveField(model_name="alertrule", name="services")]
