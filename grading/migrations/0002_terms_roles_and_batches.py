"""Add terms, sections, scales, roles, statuses, batches and stored totals."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("grading", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="GradeScale",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=200, unique=True)),
            ],
            options={
                "ordering": ["title"],
            },
        ),
        migrations.CreateModel(
            name="GradeStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("letter", models.CharField(max_length=16)),
                ("least_percent", models.DecimalField(decimal_places=2, max_digits=5)),
            ],
            options={
                "ordering": ["scale", "-least_percent"],
            },
        ),
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("single", "one grade"),
                            ("bulk", "bulk write"),
                            ("import", "file import"),
                            ("undo", "undo"),
                        ],
                        max_length=8,
                    ),
                ),
                ("content", models.CharField(blank=True, max_length=8)),
                (
                    "progress",
                    models.CharField(
                        choices=[
                            ("preview", "waits for confirmation"),
                            ("queued", "waits for a worker"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="done",
                        max_length=8,
                    ),
                ),
                ("author", models.CharField(max_length=160)),
                ("via", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("filename", models.CharField(blank=True, max_length=255)),
                ("file", models.BinaryField(blank=True, null=True)),
                ("options", models.JSONField(blank=True, default=dict)),
                ("preview", models.JSONField(blank=True, default=dict)),
                ("outcome", models.JSONField(blank=True, default=dict)),
                ("rows_done", models.PositiveIntegerField(default=0)),
                ("rows_total", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name_plural": "import batches",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Section",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=200)),
            ],
            options={
                "ordering": ["title"],
            },
        ),
        migrations.CreateModel(
            name="StoredAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("author", models.CharField(max_length=160)),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.CharField(max_length=64)),
                ("body", models.JSONField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Term",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=63, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
            ],
            options={
                "ordering": ["-starts_on", "code"],
            },
        ),
        migrations.AlterModelOptions(
            name="enrollment",
            options={"ordering": ["course", "role", "student__name", "username", "id"]},
        ),
        migrations.RemoveConstraint(
            model_name="enrollment",
            name="enrollment_unique",
        ),
        migrations.AddField(
            model_name="assignment",
            name="kind",
            field=models.CharField(
                choices=[("homework", "homework"), ("test", "test"), ("quiz", "quiz")], default="homework", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="posted",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="current_percent",
            field=models.CharField(editable=False, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="final_percent",
            field=models.CharField(editable=False, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="role",
            field=models.CharField(
                choices=[
                    ("teacher", "teacher"),
                    ("assistant", "assistant"),
                    ("student", "student"),
                    ("observer", "observer"),
                ],
                default="student",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="state",
            field=models.CharField(
                choices=[("active", "active"), ("completed", "completed"), ("dropped", "dropped")],
                default="active",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="unposted_current_percent",
            field=models.CharField(editable=False, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="unposted_final_percent",
            field=models.CharField(editable=False, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="username",
            field=models.CharField(blank=True, default="", max_length=150),
        ),
        migrations.AddField(
            model_name="grade",
            name="late_deduction",
            field=models.DecimalField(decimal_places=2, default=0, max_digits=9),
        ),
        migrations.AddField(
            model_name="grade",
            name="status",
            field=models.CharField(
                choices=[
                    ("none", "none"),
                    ("missing", "missing"),
                    ("late", "late"),
                    ("excused", "excused"),
                    ("incomplete", "incomplete"),
                ],
                default="none",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="gradechange",
            name="late_deduction_after",
            field=models.DecimalField(decimal_places=2, default=0, max_digits=9),
        ),
        migrations.AddField(
            model_name="gradechange",
            name="late_deduction_before",
            field=models.DecimalField(decimal_places=2, default=0, max_digits=9),
        ),
        migrations.AddField(
            model_name="gradechange",
            name="source",
            field=models.CharField(
                choices=[("single", "one grade"), ("bulk", "bulk write"), ("import", "file import"), ("undo", "undo")],
                default="single",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="gradechange",
            name="status_after",
            field=models.CharField(
                choices=[
                    ("none", "none"),
                    ("missing", "missing"),
                    ("late", "late"),
                    ("excused", "excused"),
                    ("incomplete", "incomplete"),
                ],
                default="none",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="gradechange",
            name="status_before",
            field=models.CharField(
                choices=[
                    ("none", "none"),
                    ("missing", "missing"),
                    ("late", "late"),
                    ("excused", "excused"),
                    ("incomplete", "incomplete"),
                ],
                default="none",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="gradechange",
            name="via",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="student",
            name="sis_id",
            field=models.CharField(blank=True, max_length=64, null=True, unique=True, verbose_name="SIS id"),
        ),
        migrations.AlterField(
            model_name="enrollment",
            name="student",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="enrollments",
                to="grading.student",
            ),
        ),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["homework", "test", "quiz"])), name="assignment_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="grade",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["none", "missing", "late", "excused", "incomplete"])),
                name="grade_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="grade",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("late_deduction", 0), models.Q(("late_deduction__gt", 0), ("status", "late")), _connector="OR"
                ),
                name="grade_deduction_of_late",
            ),
        ),
        migrations.AddConstraint(
            model_name="student",
            constraint=models.CheckConstraint(
                condition=models.Q(("sis_id", ""), _negated=True), name="student_sis_id_not_empty"
            ),
        ),
        migrations.AddField(
            model_name="course",
            name="scale",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="courses",
                to="grading.gradescale",
            ),
        ),
        migrations.AddField(
            model_name="gradestep",
            name="scale",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="grading.gradescale"
            ),
        ),
        migrations.AddField(
            model_name="importbatch",
            name="course",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="batches", to="grading.course"
            ),
        ),
        migrations.AddField(
            model_name="importbatch",
            name="undoes",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="undone_by",
                to="grading.importbatch",
            ),
        ),
        migrations.AddField(
            model_name="gradechange",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="grading.importbatch",
            ),
        ),
        migrations.AddField(
            model_name="section",
            name="course",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="sections", to="grading.course"
            ),
        ),
        migrations.AddField(
            model_name="enrollment",
            name="section",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="enrollments",
                to="grading.section",
            ),
        ),
        migrations.AddIndex(
            model_name="enrollment",
            index=models.Index(fields=["username"], name="enrollment_by_username"),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("role", "student")), fields=("course", "student"), name="enrollment_student_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("role__in", ["teacher", "assistant"])),
                fields=("course", "username"),
                name="enrollment_staff_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("role", "observer")),
                fields=("course", "username", "student"),
                name="enrollment_observer_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["teacher", "assistant", "student", "observer"])),
                name="enrollment_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["active", "completed", "dropped"])), name="enrollment_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="enrollment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("role__in", ["teacher", "assistant"]),
                        ("student", None),
                        models.Q(("username", ""), _negated=True),
                    ),
                    models.Q(("role", "student"), ("student__isnull", False), ("username", "")),
                    models.Q(
                        ("role", "observer"), ("student__isnull", False), models.Q(("username", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="enrollment_names_its_person",
            ),
        ),
        migrations.AddIndex(
            model_name="storedanswer",
            index=models.Index(fields=["at"], name="stored_answer_by_time"),
        ),
        migrations.AddConstraint(
            model_name="storedanswer",
            constraint=models.UniqueConstraint(fields=("author", "key"), name="stored_answer_unique"),
        ),
        migrations.AddConstraint(
            model_name="term",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))), name="term_ends_after_start"
            ),
        ),
        migrations.AddField(
            model_name="course",
            name="term",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="courses",
                to="grading.term",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradestep",
            constraint=models.UniqueConstraint(fields=("scale", "letter"), name="grade_step_letter_unique"),
        ),
        migrations.AddConstraint(
            model_name="gradestep",
            constraint=models.UniqueConstraint(fields=("scale", "least_percent"), name="grade_step_percent_unique"),
        ),
        migrations.AddConstraint(
            model_name="gradestep",
            constraint=models.CheckConstraint(
                condition=models.Q(("least_percent__gte", 0)), name="grade_step_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="importbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["single", "bulk", "import", "undo"])),
                name="import_batch_source_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="section",
            constraint=models.UniqueConstraint(fields=("course", "title"), name="section_title_unique"),
        ),
        migrations.AddIndex(
            model_name="importbatch",
            index=models.Index(
                condition=models.Q(("progress__in", ["queued", "running"])),
                fields=["progress"],
                name="import_batch_waiting",
            ),
        ),
    ]
