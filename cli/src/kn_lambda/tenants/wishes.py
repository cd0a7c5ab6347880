"""What the options of `tenant add` ask for, put over what a tenant has already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kn_lambda.errors import MissingError, WrongUsageError
from kn_lambda.tenants.living import chosen_components, living_tenant
from kn_lambda.tenants.manifests import Tenant, limited_resources
from kn_lambda.tenants.quotas import parse_quota
from kn_lambda.tenants.subjects import Subject, united

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kn_lambda.cluster.installation import Installation

_LONGEST = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """The options, checked."""

    editors: tuple[Subject, ...]
    viewers: tuple[Subject, ...]
    revoked: frozenset[str]
    quota: Mapping[str, str]
    components: tuple[str, ...]

    @classmethod
    def given(
        cls,
        *,
        edit: tuple[Iterable[str], Iterable[str]],
        view: tuple[Iterable[str], Iterable[str]],
        revoke: Iterable[str],
        quota: Iterable[str],
        components: Iterable[str],
    ) -> Wishes:
        """Read the options; `edit` and `view` are groups and users. `WrongUsageError` if wrong."""
        wishes = cls(
            editors=_subjects("edit", *edit),
            viewers=_subjects("view", *view),
            revoked=frozenset(revoke),
            quota=parse_quota(quota, limited_resources()),
            components=tuple(sorted(set(components))),
        )
        both = wishes.revoked & {each.name for each in (*wishes.editors, *wishes.viewers)}
        if both:
            raise WrongUsageError(
                f"{min(both)} is to get rights and to lose them",
                hint="Name it with --revoke, or with an option that gives rights.",
            )
        return wishes


def without_platform(name: str, wishes: Wishes) -> Tenant:
    """Return the tenant that the options alone describe."""
    return Tenant(
        name=name,
        components=wishes.components,
        quota=wishes.quota,
        editors=united(wishes.editors),
        viewers=united(wishes.viewers),
    )


def wished_tenant(installation: Installation, name: str, wishes: Wishes) -> Tenant:
    """Return the tenant as it shall be: what no option names stays as it is."""
    before = tenant_as_it_is(installation, name)
    is_known = {each.name for each in (*before.editors, *before.viewers)}
    if unknown := wishes.revoked - is_known:
        raise MissingError(
            f"{min(unknown)} has no rights in {name} that this command gave",
            hint=f"See who has: kn-lambda tenant describe {name}",
        )
    return Tenant(
        name=name,
        components=wishes.components or before.components,
        quota={**before.quota, **wishes.quota},
        editors=_kept(wishes, united(before.editors, wishes.editors)),
        viewers=_kept(wishes, united(before.viewers, wishes.viewers)),
    )


def tenant_as_it_is(installation: Installation, name: str) -> Tenant:
    """Return what a tenant was given, or a new one where there is none yet."""
    components = chosen_components(installation)
    try:
        living = living_tenant(installation, name)
    except MissingError:
        return Tenant(name=name, components=components)
    known = limited_resources()
    return Tenant(
        name=name,
        components=components,
        quota={resource: living.hard[resource] for resource in known if resource in living.hard},
        editors=living.editors,
        viewers=living.viewers,
    )


def _kept(wishes: Wishes, subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    return tuple(subject for subject in subjects if subject.name not in wishes.revoked)


def _subjects(word: str, groups: Iterable[str], users: Iterable[str]) -> tuple[Subject, ...]:
    found = []
    for kind, names in (("Group", groups), ("User", users)):
        for name in names:
            if len(name) > _LONGEST or not name.isprintable() or name != name.strip():
                raise WrongUsageError(
                    f"invalid --{word}-{kind.lower()} {name[:80]!r}",
                    hint="Use a name as the cluster's authentication gives it, "
                    f"of up to {_LONGEST} characters.",
                )
            found.append(Subject(kind=kind, name=name))
    return tuple(found)
