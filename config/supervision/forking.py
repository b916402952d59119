"""Programs in Python that are forked from their supervisor, which has imported what they need, instead of executed.

A start then costs no import anew, and the processes share the memory of what was imported. Nothing else is shared: what
is imported here reads no settings, opens nothing and starts no thread. See docs/decisions/0006-preload-and-fork.md.
"""

import atexit
import gc
import os
import runpy
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn

import setproctitle

from config import env

# Modules that most of the programs import, whatever their settings. Django's models are not among them: the settings
# name the database that they are made for, so each program imports its own.
PRELOADED = (
    *("django.contrib.admin.views.main", "django.contrib.auth.apps", "django.contrib.auth.hashers"),
    *("django.contrib.auth.password_validation", "django.contrib.auth.tokens", "django.contrib.sessions.middleware"),
    *("django.contrib.staticfiles.apps", "django.core.handlers.asgi", "django.core.handlers.wsgi"),
    *("django.db.backends.sqlite3.base", "django.db.migrations.executor", "django.db.models.sql.compiler"),
    *("django.middleware.common", "django.template.loaders.app_directories"),
    *("drf_spectacular.utils", "rest_framework.authentication", "rest_framework.mixins", "rest_framework.negotiation"),
    *("rest_framework.permissions", "rest_framework.request", "rest_framework.utils.breadcrumbs"),
    "rest_framework.utils.encoders",
    *("csp.middleware", "django_htmx.middleware", "django_otp.plugins.otp_totp", "django_stubs_ext"),
    *("unfold.dataclasses", "unfold.sections"),
    *("celery.app.amqp", "celery.app.control", "celery.app.log", "celery.apps.worker", "celery.backends.base"),
    *("celery.bin.celery", "celery.concurrency.solo", "celery.events.dispatcher", "celery.fixups.django"),
    *("celery.worker.components", "celery.worker.consumer", "celery.worker.consumer.delayed_delivery"),
    *("kombu.transport.redis", "redbeat.schedulers"),
    *("httptools", "uvicorn.protocols.http.httptools_impl", "uvloop"),
    *("cryptography.fernet", "dj_database_url", "msgspec.json", "prometheus_client.core", "re2"),
    *("config.attempts", "config.beat", "config.commands", "config.hybrid", "config.in_force", "config.sqlite.base"),
    *("config.management.commands.prepare", "config.management.commands.serve", "config.static_files"),
    "config.tokens.holder",
    *("registry.client.django.discovery", "logsvc.client"),
)


def preload(modules: Sequence[str] = PRELOADED) -> None:
    """Import the modules, and keep them out of the garbage collector's way, which would copy the pages that it writes.

    It does not run meanwhile, as there is next to no garbage in what is imported.
    """
    gc.disable()
    for name in modules:
        import_module(name)
    gc.collect()
    gc.freeze()
    gc.enable()


def is_own(command: Sequence[str]) -> bool:
    """Whether the command is a program of this checkout in this very Python, and so can be forked."""
    return len(command) > 1 and command[0] == sys.executable and (command[1] == "-m" or command[1] == _MANAGE)


def run(command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Run the command as if this process had been executed with it; called in a forked child, and ends it."""
    # The parent's objects stay as they are: to free them would write to shared pages, and close files whose numbers
    # are other files' here.
    gc.freeze()
    # Undo the supervisor's handlers, as execution would.
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__
    outputs = [each for each in (sys.__stdout__, sys.__stderr__) if isinstance(each, TextIOWrapper)]
    for output in outputs:
        # Its log shows each line at once, whether or not the parent buffers what it writes.
        output.reconfigure(line_buffering=True)
    # Before the environment changes: it lies behind the title.
    setproctitle.setproctitle(shlex.join(command))
    os.environ.clear()
    os.environ.update(environment)
    status = 1
    try:
        status = _status(command)
        threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does, and multiprocessing
        atexit._run_exitfuncs()
        for output in outputs:
            output.flush()
    finally:
        os._exit(status)


_MANAGE = str(env.BASE_DIR / "manage.py")


def _status(command: Sequence[str]) -> int:
    """Run the program; returns its exit status."""
    try:
        if command[1] == "-m":
            sys.argv = list(command[2:])
            runpy.run_module(command[2], run_name="__main__", alter_sys=True)
        else:
            sys.argv = list(command[1:])
            runpy.run_path(command[1], run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
