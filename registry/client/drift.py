"""Compares what is registered with what was declared: it may have been edited, or an import left something out."""

from .wire import Instance, Registration

# Compared as sets: in any order, each once.
_SETS = ("requires", "tags")
_SINGLE = ("notify_url", "zone", "version", "weight")


def differences(declared: Registration, registered: Instance) -> frozenset[str]:
    """The members in which the two differ, as the registry would store them, without an operator's overrides.

    The signing secret is never shown, and is not compared.
    """
    found = {name for name in _SETS if set(getattr(declared, name)) != set(getattr(registered, name))}
    found |= {name for name in _SINGLE if getattr(declared, name) != getattr(registered, name)}
    if declared.url.rstrip("/") != registered.url:
        found.add("url")
    if dict(declared.metadata) != dict(registered.metadata):
        found.add("metadata")
    wanted, kept = (dict(vars(each.heartbeat)) for each in (declared, registered))
    if wanted["url"] is None:
        # The registry derives one from the instance's URL.
        del wanted["url"]
    if wanted["kind"] == "auto" and (kept["chosen"] or kept["kind"] == "auto"):
        # The registry has chosen it, or will.
        del wanted["kind"], wanted["chosen"]
    found |= {f"heartbeat.{name}" for name, value in wanted.items() if kept[name] != value}
    return frozenset(found)
