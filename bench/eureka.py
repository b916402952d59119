"""A real Eureka server, which keeps everything in memory, as bench_peers measures it.

Its settings are Spring Cloud's for a server alone. A change is read up to 30 s later, when the cache of answers is made
anew, and nobody can wait for one: clients ask every 30 s. It checks nobody: who stops renewing a lease of 90 s is
evicted within 4 minutes, and bench_peers does not wait for that.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from bench import peer, stack
from bench.peer import Peer, Request

LEASE = {"renewalIntervalInSecs": 3600, "durationInSecs": 3600}


class Eureka(Peer):
    name = "Eureka"
    is_durable = False
    warm_up_reads = 100_000

    def __init__(self, url: str, mark: str) -> None:
        self.url = url
        self.mark = mark

    def register(self, service: str, instance: str, *, version: int = 1) -> Request:
        body = {
            "instanceId": instance,
            "app": service.upper(),
            "hostName": "127.0.0.1",
            "ipAddr": "127.0.0.1",
            "vipAddress": service,
            "port": {"$": 9000, "@enabled": "true"},
            "status": "UP",
            "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
            "leaseInfo": LEASE,
            "metadata": {"weight": str(version)},
        }
        return Request(method="POST", path=f"/eureka/apps/{service.upper()}", body={"instance": body})

    def deregister(self, service: str, instance: str) -> Request:
        return Request(method="DELETE", path=f"/eureka/apps/{service.upper()}/{instance}")

    def read(self, service: str) -> Request:
        return Request(method="GET", path=f"/eureka/apps/{service.upper()}")


@contextmanager
def server() -> Iterator[Peer]:
    port = stack.free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "eureka.instance.hostname": "localhost",
        "eureka.client.register-with-eureka": "false",
        "eureka.client.fetch-registry": "false",
        "eureka.client.service-url.defaultZone": f"http://localhost:{port}/eureka/",
    }
    with peer.running(
        lambda _: ["eureka-server", *(f"--{name}={value}" for name, value in settings.items())],
        url=f"{url}/eureka/apps",
        is_ready=lambda answer: answer.is_success,
    ) as mark:
        yield Eureka(url, mark)
