"""How often an import was taken up by a worker."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("grading", "0006_students_by_name")]

    operations = [
        migrations.AddField("importbatch", "starts", models.PositiveSmallIntegerField(default=0)),
    ]
