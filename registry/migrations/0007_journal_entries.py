from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("registry", "0006_override_shown")]

    operations = [
        migrations.AlterModelOptions(
            name="journalentry",
            options={"ordering": ["-revision"], "verbose_name_plural": "journal entries"},
        ),
    ]
