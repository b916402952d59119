"""Apply retention now, or say what it would delete."""

import time
from argparse import ArgumentParser
from typing import Any

from django.db import connection

from config import commands
from logsvc import retention
from logsvc.storage.current import store


class Command(commands.Command):
    help = "Delete the records that no retention rule keeps, and give their space back. Beat does it every ten minutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
        parser.add_argument(
            "--compact",
            action="store_true",
            help="SQLite: rewrite the whole file, which gives all free space back and takes as long as copying it",
        )

    def run(self, **options: Any) -> None:
        pruned = retention.prune(now_ns=time.time_ns(), is_dry_run=options["dry_run"])
        for each in pruned:
            self.stdout.write(f"{each.service} {each.level}: {each.records} records, {each.reason}")
        verb = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(f"{sum(each.records for each in pruned)} records {verb}.")
        if options["compact"] and not options["dry_run"] and connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
                cursor.execute("VACUUM")
        size = store().size()
        self.stdout.write(f"The store has {size.total_bytes:,} bytes on disk, {size.free_bytes:,} of them free.")
