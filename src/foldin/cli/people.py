"""Whom a command works for: a user of the store, or somebody described at the prompt by history and profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foldin.data.catalog import Catalog
    from foldin.data.interactions import History
    from foldin.data.profiles import Profile
    from foldin.recommender import Recommender
    from foldin.workspace import Workspace

__all__ = ["Person", "person_of", "stored_catalog", "typed_profile"]


@dataclass(frozen=True)
class Person:
    """What is known of somebody; `name` is what messages call them."""

    name: str
    history: History
    profile: Profile


def person_of(
    workspace: Workspace,
    recommender: Recommender,
    *,
    user: str | None,
    history: Sequence[str] | None,
    profile: str | None,
    query: str | None = None,
) -> Person:
    """A user of the store, or, without one, a person described by a history and a profile.

    `history`: lists of items, each as "A,B,C". `profile`: as "role=admin,interests=x|y"; one that is typed for a user
    of the store is laid over the stored one. Notes name items, attributes and words
    of a query that the model does not know.

    Raises:
        NotFoundError: there is no such user, or no store.
        DataError: no user or item can have such an id.
        ConfigurationError: the profile is not of that form.
    """
    typed = {} if profile is None else typed_profile(profile)
    _note_unknown_attributes(typed, recommender)
    _note_unmatched(query, recommender)
    if user is not None:
        stored, known = _stored(workspace, user)
        return Person(user, stored, {**known, **typed})
    name = "this history" if history is not None else "this profile" if profile is not None else "this query"
    return Person(name, _typed_history(history or (), recommender.catalog), typed)


def typed_profile(text: str) -> dict[str, str]:
    """The profile "role=admin,interests=networking|storage"; an attribute given twice has both values.

    Raises:
        ConfigurationError: a part is not of the form name=value.
    """
    from foldin.errors import ConfigurationError

    profile: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise ConfigurationError(f"'{part}' is not of the form name=value, as --profile role=admin,interests=x|y")
        profile[name] = f"{profile[name]}|{value}" if name in profile else value
    return profile


def stored_catalog(workspace: Workspace) -> Catalog:
    """The store's catalogue; one without items where there is no store."""
    from foldin.data.catalog import Catalog, ids_of
    from foldin.errors import NotFoundError

    try:
        with workspace.store() as store:
            return store.catalog()
    except NotFoundError:
        return Catalog(ids_of([]))


def _stored(workspace: Workspace, user: str) -> tuple[History, Profile]:
    from foldin.data.identifiers import checked_id
    from foldin.data.spelling import perhaps
    from foldin.errors import NotFoundError

    with workspace.store() as store:
        user_id = checked_id(user, "user")
        try:
            return store.history(user_id), store.profile(user_id)
        except NotFoundError as error:
            raise NotFoundError(f"{error}{perhaps(user_id, store.user_ids())}") from None


def _typed_history(lists: Sequence[str], catalog: Catalog) -> History:
    from foldin.cli.item_arguments import find_known_items
    from foldin.data.interactions import History

    return History.of(find_known_items(lists, catalog))


def _note_unmatched(query: str | None, recommender: Recommender) -> None:
    from foldin.cli.output import print_note

    for notice in recommender.query_notices(query):
        print_note(notice)


def _note_unknown_attributes(profile: Profile, recommender: Recommender) -> None:
    from foldin.cli.output import print_note
    from foldin.coldstart.notices import profile_notices

    for notice in profile_notices(profile, recommender.attributes, recommender.says):
        print_note(notice)
