"""Which instances a token may change."""

from config.tokens.issuing import Holder
from registry.errors import OutOfScope
from registry.instances import declaration
from registry.models import InstanceKey


def changeable(service: str, instance: str, *, holder: Holder) -> InstanceKey:
    """The instance of that name. Raises Invalid when one of the two is no name, OutOfScope."""
    key = declaration.instance_key(service, instance)
    if not holder.may_register(service) and not holder.may("operate"):
        raise OutOfScope(holder.name, service)
    return key
