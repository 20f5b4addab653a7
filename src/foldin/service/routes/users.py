"""Users: their profiles, all that is kept of them, and their forgetting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from shlex import quote

from fastapi import APIRouter, Depends, Request

from foldin.audit import audited
from foldin.data.catalog import ids_of
from foldin.data.profiles import Profiles
from foldin.errors import ConflictError, NotFoundError
from foldin.service.attribute_names import ProfileNames
from foldin.service.bodies import StrictRoute
from foldin.service.field_types import TextId
from foldin.service.gate import needs
from foldin.service.histories import events_of, moment_of
from foldin.service.messages import Forgotten, Impression, UserRequest, UserResponse
from foldin.service.persons import Known, known_of
from foldin.service.service import Service
from foldin.store.contract import Shown, Store

__all__ = ["user_routes"]

MOST_LOOKED_AT = 16
"""Values of a profile that is put which are looked at for the first time: many may be put one after the other."""

NOTHING = (
    "the store held nothing of this user, who is unknown, mistyped or forgotten before; what comes of them from here "
    "on is left out, until `foldin forget --lift`"
)


def user_routes(service: Service) -> APIRouter:
    """What a key of scope `people` may do; an id with a slash goes in the query, as `/v1/user?user=a/b`."""
    routes = APIRouter(prefix="/v1", tags=["users"], route_class=StrictRoute, dependencies=[Depends(needs("people"))])
    names = ProfileNames()

    @routes.get("/user")
    @routes.get("/users/{user}")
    async def export(user: TextId) -> UserResponse:
        """All that is kept of a user: profile, history and what was shown, oldest first."""
        return await service.desk.run(lambda store: _kept(store, user))

    @routes.put("/user")
    @routes.put("/users/{user}")
    async def put(user: TextId, sent: UserRequest) -> UserResponse:
        """Replaces a user's profile. A user nobody had heard of is known from here on; one who is forgotten is refused
        (409) until `foldin forget --lift`. What of it says nothing to the model is stored all the same, and named."""

        def write(store: Store) -> UserResponse:
            names.check(store, sent.profile.keys())
            return _with_profile(store, user, sent.profile)

        kept = await service.writing_desk.run(write)
        return kept.model_copy(update={"reason": await _remark(service, sent.profile)})

    @routes.delete("/user")
    @routes.delete("/users/{user}")
    async def forget(user: TextId, request: Request) -> Forgotten:
        """Forgets a user: events, profile and what was shown are erased, and later ones are refused."""
        folder, by = service.workspace.folder, request.state.key.source
        return await service.writing_desk.run(lambda store: _forgotten(store, user, folder, by))

    return routes


def _forgotten(store: Store, user: str, folder: Path, by: str) -> Forgotten:
    with audited(folder, by, "forget", nameless=True) as said:
        said |= asdict(gone := store.forget(user))
    nothing = not (gone.events or gone.profile or gone.impressions)
    reason = NOTHING if nothing else None
    return Forgotten(events=gone.events, profile=gone.profile, impressions=gone.impressions, reason=reason)


async def _remark(service: Service, profile: Mapping[str, str]) -> str | None:
    """What of a profile that is stored by now says nothing to the model."""
    live = service.live.now()
    if live is None:
        return None
    (notices,) = await service.notices.of(live, [profile], most=MOST_LOOKED_AT)
    return "; ".join(notices) or None


def _with_profile(store: Store, user: str, profile: Mapping[str, str]) -> UserResponse:
    """All that is kept of a user with a new profile."""
    store.put_profiles(Profiles(ids_of([user]), {name: ids_of([value]) for name, value in profile.items()}))
    known = known_of(store, user)
    if not known.heard_of:
        problem = f"user '{user}' was forgotten: whatever is sent of them is left out, and so was this profile"
        raise ConflictError(f"{problem}; `foldin forget {quote(user)} --lift` takes them in again")
    return _export(store, user, known)


def _kept(store: Store, user: str) -> UserResponse:
    known = known_of(store, user)
    kept = _export(store, user, known)
    if not known.heard_of and not kept.shown:
        raise NotFoundError(f"no user '{user}'")
    return kept


def _export(store: Store, user: str, known: Known) -> UserResponse:
    shown = [_impression(one) for one in store.shown_to(user)]
    return UserResponse(user=user, profile=dict(known.profile), history=events_of(known.history), shown=shown)


def _impression(shown: Shown) -> Impression:
    one = shown.impression
    return Impression(
        recommendation_id=one.recommendation_id,
        model=one.model,
        time=moment_of(one.time),
        items=list(one.item_ids),
        clicked=list(shown.clicked),
    )
