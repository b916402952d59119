"""Serve one service over HTTP, in this process."""

import asyncio
import gc
import ipaddress
import logging
import signal
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

import uvloop
from django.conf import settings
from django.core.management import CommandError
from django.utils.module_loading import import_string

from config import commands, env, numbers, ports, threads
from config.http.server import Server, listen
from config.liveness import Pulse

# Together well within the time before the supervisor kills (config/supervision/programs.py).
GRACE_SECONDS = 1.5
CLOSE_SECONDS = 1.0
# New objects before garbage is looked for. With Python's 700 a page of 200 rows has it looked for four times, and what
# is alive at those moments is taken for lasting: every thirtieth page then waits 20 to 80 ms for the whole heap.
GARBAGE_OBJECTS = 10_000

logger = logging.getLogger(__name__)


class Command(commands.Command):
    help = "Serve this service over HTTP until SIGTERM or Ctrl-C. Example: ./manage.py grading serve"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--host", type=_address, default="127.0.0.1", help="the IP address to listen on (default: %(default)s)"
        )
        parser.add_argument("--port", type=_port, default=settings.PORT, help="(default: %(default)s)")

    def run(self, **options: Any) -> None:
        host, port = options["host"], options["port"]
        reason = ports.refusal(host, port)
        if reason:
            variable = f"{settings.SERVICE.variable_prefix}_PORT"
            raise CommandError(
                f"{host}:{port} cannot be listened on ({reason}): set {variable} to a free port, or change --host.",
                returncode=2,
            )
        threads.switch_often()
        uvloop.run(serve(host, port))


async def serve(host: str, port: int) -> None:
    told_to_stop = _told_to_stop()
    from config.asgi import application
    from config.tokens import gate

    for path in settings.WHEN_SERVING:
        import_string(path)()

    # Imported objects stay: collecting garbage among them would take a tenth of a second each time, in which nobody is
    # answered.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS)

    gate.current().start()
    pulse = Pulse()
    pulse.watch(env.sign_of_life())
    living = asyncio.create_task(_live(pulse))
    server = Server(application, websockets=bool(settings.WEBSOCKET_LANES))
    serving = asyncio.create_task(server.serve(sockets=[listen(host, port)]))
    stopping = asyncio.create_task(told_to_stop.wait())
    logger.info("Serving %s on %s, port %s", settings.SERVICE.name, host, port)
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not told_to_stop.is_set():
        stopping.cancel()
        await serving
        raise CommandError("The server ended by itself: its log says why.")
    living.cancel()
    # Accept nothing new, let requests finish, and wait for none that would hold the process for ever.
    server.stop()
    await application.drain(grace_seconds=GRACE_SECONDS)
    await asyncio.wait({serving}, timeout=CLOSE_SECONDS)
    logger.info("Stopped %s", settings.SERVICE.name)
    gate.current().stop()


async def _live(pulse: Pulse) -> None:
    """Show that the event loop turns."""
    while True:
        pulse.beat()
        await asyncio.sleep(1)


def _told_to_stop() -> asyncio.Event:
    """An event that SIGTERM and Ctrl-C set.

    The handlers are Python's rather than the loop's, and installed before the application is made: a membership then
    puts its own in front, so that the registry is told before the first connection is closed.
    """
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(event.set))
    signal.signal(signal.SIGINT, lambda *_: signal.raise_signal(signal.SIGTERM))
    return event


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not an IP address such as 127.0.0.1 or ::") from error


def _port(text: str) -> int:
    if not numbers.is_whole(text) or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)
