"""A Flask service joins the registry.

In this directory, with a token for `read` and `register:canteen`:

    export REGISTRY_URL=http://127.0.0.1:8001 REGISTRY_TOKEN=rct_...
    gunicorn flask_app:app --workers 2 --bind 127.0.0.1:9102

The workers share `state_dir`: one of them registers, whichever is told tells the others, the last one deregisters.
"""

import os

from flask import Flask

from registry.client import Heartbeat, Registration, Registry
from registry.client.flask import blueprint

URL = f"http://127.0.0.1:{os.environ.get('PORT', '9102')}"
registry = Registry(os.environ["REGISTRY_URL"], os.environ["REGISTRY_TOKEN"])
me = registry.registered(
    Registration(
        service="canteen",
        instance="canteen-1",
        url=URL,
        requires=["grading"],
        notify_url=f"{URL}/rollcall/notify",
        heartbeat=Heartbeat(kind="http", url=f"{URL}/healthz"),
    ),
    state_dir=os.environ.get("STATE_DIR", "var/client"),
)
me.start()

app = Flask(__name__)
app.register_blueprint(blueprint(me))


@app.get("/")
def index() -> dict[str, list[str]]:
    return {"grading": [provider.url for provider in me.providers("grading")]}


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}
