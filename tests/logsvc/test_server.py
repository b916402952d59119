import asyncio
import threading

from config.tokens.holder import Holder
from logsvc.server import ASKING_THREADS, Server


def test_the_questions_of_one_token_leave_a_thread_to_others() -> None:
    slow, other = (Holder(name=name, scopes=frozenset({"read"})) for name in ("slow", "other"))

    async def ask() -> list[str]:
        server, gate = Server(), threading.Event()
        waiting = [asyncio.ensure_future(server.ask(gate.wait, holder=slow)) for _ in range(ASKING_THREADS * 2)]
        try:
            return [await server.ask(lambda: "answer", holder=other), await server.ask(lambda: "nobody's")]
        finally:
            gate.set()
            await asyncio.gather(*waiting)

    assert asyncio.run(ask()) == ["answer", "nobody's"]
