from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0013_given_up_runs"),
    ]

    operations = [
        migrations.AddField(
            model_name="cursor",
            name="put_off_at",
            field=models.FloatField(db_default=0.0, default=0.0),
        ),
    ]
