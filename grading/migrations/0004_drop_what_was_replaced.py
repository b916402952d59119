"""Drop the teachers' table and `excused`, which roles and statuses replace."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("grading", "0003_carry_over")]

    operations = [
        migrations.RemoveField(
            model_name="grade",
            name="excused",
        ),
        migrations.RemoveField(
            model_name="gradechange",
            name="excused_after",
        ),
        migrations.RemoveField(
            model_name="gradechange",
            name="excused_before",
        ),
        migrations.DeleteModel(
            name="Teacher",
        ),
    ]
