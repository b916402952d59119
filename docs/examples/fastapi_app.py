"""A FastAPI service joins the registry.

In this directory, with a token for `read` and `register:timetable`:

    export REGISTRY_URL=http://127.0.0.1:8001 REGISTRY_TOKEN=rct_...
    uvicorn fastapi_app:app --port 9101
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from registry.client import AsyncRegistry, Heartbeat, Registration
from registry.client.starlette import route

URL = f"http://127.0.0.1:{os.environ.get('PORT', '9101')}"
registry = AsyncRegistry(os.environ["REGISTRY_URL"], os.environ["REGISTRY_TOKEN"])
me = registry.registered(
    Registration(
        service="timetable",
        instance="timetable-1",
        url=URL,
        requires=["grading"],
        notify_url=f"{URL}/rollcall/notify",
        heartbeat=Heartbeat(kind="http", url=f"{URL}/healthz"),
    )
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with me:
        yield


app = FastAPI(lifespan=lifespan)
app.router.routes.append(route(me))


@app.get("/")
async def index() -> dict[str, list[str]]:
    return {"grading": [provider.url for provider in me.providers("grading")]}


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}
