"""A plain script joins the registry: it beats by itself, so that it needs no port of its own to be probed.

In this directory, with a token for `read` and `register:report`:

    export REGISTRY_URL=http://127.0.0.1:8001 REGISTRY_TOKEN=rct_...
    python script.py
"""

import os

from registry.client import Heartbeat, Registration, Registry

registry = Registry(os.environ["REGISTRY_URL"], os.environ["REGISTRY_TOKEN"])
report = Registration(
    service="report",
    instance="report-1",
    url="http://127.0.0.1:9100",
    requires=["grading"],
    heartbeat=Heartbeat(kind="ttl"),
)

with registry.registered(report) as me:
    me.wait_for("grading", timeout=30)
    with me.client() as client:
        print("grading says:", client.get("rollcall://grading/healthz").text)
