"""The services of this system: their names, ports and what each requires."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Service:
    name: str
    default_port: int
    requires: tuple[str, ...] = ()
    # The queues of its Celery tasks; none for a service without tasks. `up` gives all to one worker, with beat in it;
    # in production each may have workers of its own.
    queues: tuple[str, ...] = ()
    # The page that people open in a browser: its title and its path.
    page: tuple[str, str] | None = None
    # The words of the link to its admin.
    admin: str

    @property
    def variable_prefix(self) -> str:
        """The prefix of the service's own environment variables: `GRADING` in `GRADING_PORT`."""
        return self.name.upper()


SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service(
            name="registry",
            default_port=8001,
            queues=("registry.heartbeats", "registry"),
            page=("Registry's admin", "/admin/"),
            admin="Registry's admin",
        ),
        Service(
            name="logsvc",
            default_port=8002,
            queues=("logsvc",),
            page=("Log service's admin", "/admin/"),
            admin="Log service's admin",
        ),
        Service(
            name="grading",
            default_port=8003,
            requires=("logsvc",),
            queues=("grading",),
            page=("Grading's admin", "/admin/"),
            admin="Grading's admin",
        ),
        Service(
            name="webui",
            default_port=8000,
            requires=("logsvc", "grading"),
            queues=("webui",),
            page=("Web UI", "/"),
            admin="Web UI's admin",
        ),
    )
}
