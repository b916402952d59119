"""Which instances a token may change."""

from config.tokens.issuing import Holder
from registry.errors import OutOfScope
from registry.instances import declaration
from registry.instances.declaration import Target


def changeable(service: str, instance: str, *, holder: Holder) -> Target:
    """The instance of that name. Raises Invalid when one of the two is no name, OutOfScope."""
    target = declaration.target(service, instance)
    if not holder.may_register(service) and not holder.may("operate"):
        raise OutOfScope(holder.name, service)
    return target
