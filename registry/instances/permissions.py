"""Decides what a token may change, and how many instances it may register."""

from typing import Any

from config.tokens.holder import Holder
from registry.errors import OutOfScope
from registry.instances import declaration
from registry.instances.allowance import Allowance
from registry.instances.storage import Entry
from registry.models import InstanceKey


def changeable(service: str, instance: str, *, holder: Holder) -> InstanceKey:
    """The key of an instance that the token may change. Raises Invalid for a name that is not valid, OutOfScope."""
    key = declaration.instance_key(service, instance)
    if not holder.may_register(service) and not holder.may("operate"):
        raise OutOfScope(holder.name, service)
    return key


def entry(key: InstanceKey, members: Any, *, holder: Holder, allowance: Allowance) -> Entry:
    """A registration of an instance that the token may change, checked whole. Raises Invalid."""
    declared = declaration.declaration(members)
    return Entry(key=key, declared=declared, author=holder.name, allowance=allowance)
