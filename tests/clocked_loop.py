import asyncio


class ClockedLoop(asyncio.SelectorEventLoop):
    """Its clock can be set forward."""

    ahead_seconds = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_seconds
