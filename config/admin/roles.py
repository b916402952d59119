"""The roles of an admin as groups, made by a migration of each service: viewer, operator, administrator."""

from collections.abc import Mapping, Sequence
from typing import Any

# By app and model: view, add, change, delete, or one of OWN.
Rights = Mapping[str, Mapping[str, Sequence[str]]]
# The rights of every administrator.
ADMINISTER: Rights = {
    "auth": {"user": ["view", "add", "change", "delete"], "group": ["view"]},
    "tokens": {"token": ["view", "add", "change", "revoke"], "auditentry": ["view"]},
}
OPERATE: Rights = {"admin": {"logentry": ["view"]}}
# The permissions that are not Django's own four, by their model and verb.
OWN = {
    ("token", "revoke"): ("revoke_token", "Can revoke a token"),
    ("records", "view"): ("view_records", "Can read every log record"),
}
# An `own` model's permissions belong to this one.
OWNERS = {"records": "retentionrule"}


def make(apps: Any, roles: Mapping[str, Sequence[Rights]]) -> None:
    """Give each group its permissions. Idempotent.

    Django makes permissions after all migrations: those still missing are made here.
    """
    groups, permissions, kinds = (
        apps.get_model(app, model)
        for app, model in (("auth", "Group"), ("auth", "Permission"), ("contenttypes", "ContentType"))
    )
    for role, parts in roles.items():
        group, _ = groups.objects.get_or_create(name=role)
        for app, model, verb in [
            (app, model, verb)
            for part in parts
            for app, models in part.items()
            for model, verbs in models.items()
            for verb in verbs
        ]:
            kind, _ = kinds.objects.get_or_create(app_label=app, model=OWNERS.get(model, model))
            codename, name = OWN.get((model, verb), (f"{verb}_{model}", f"Can {verb} {model}"))
            permission, _ = permissions.objects.get_or_create(
                content_type=kind, codename=codename, defaults={"name": name}
            )
            group.permissions.add(permission)


def rename(apps: Any, *, old: str, new: str) -> None:
    """Move the members of a former group to the role that replaces it."""
    groups = apps.get_model("auth", "Group")
    former = groups.objects.filter(name=old).first()
    if former is not None:
        groups.objects.get(name=new).user_set.add(*former.user_set.all())
        former.delete()
