"""Users: their profiles, all that is kept of them, and their forgetting."""

from __future__ import annotations

from fastapi import APIRouter

from foldin.data.catalog import ids_of
from foldin.data.profiles import Profiles
from foldin.errors import NotFoundError
from foldin.service.bodies import StrictRoute
from foldin.service.histories import events_of
from foldin.service.messages import Forgotten, Id, UserRequest, UserResponse
from foldin.service.service import Service
from foldin.store.contract import Store

__all__ = ["user_routes"]


def user_routes(service: Service) -> APIRouter:
    """What a key of scope `ingest` may do; an id with a slash goes in the query, as `/v1/user?user=a/b`."""
    routes = APIRouter(prefix="/v1", tags=["users"], route_class=StrictRoute)

    @routes.get("/user")
    @routes.get("/users/{user}")
    async def export(user: Id) -> UserResponse:
        """All that is kept of a user: profile and history, oldest first."""
        return await service.desk.run(lambda store: _kept(store, user))

    @routes.put("/user")
    @routes.put("/users/{user}")
    async def put(user: Id, sent: UserRequest) -> UserResponse:
        """Replaces a user's profile; a user nobody had heard of is known from here on."""

        def write(store: Store) -> UserResponse:
            columns = {name: ids_of([value]) for name, value in sent.profile.items()}
            store.put_profiles(Profiles(ids_of([user]), columns))
            return _kept(store, user)

        return await service.writing_desk.run(write)

    @routes.delete("/user")
    @routes.delete("/users/{user}")
    async def forget(user: Id) -> Forgotten:
        """Forgets a user: events and profile are erased, and later ones are refused."""
        gone = await service.writing_desk.run(lambda store: store.forget(user))
        return Forgotten(events=gone.events, profile=gone.profile)

    return routes


def _kept(store: Store, user: str) -> UserResponse:
    try:
        history = store.history(user)
    except NotFoundError:
        raise NotFoundError(f"no user '{user}'") from None
    return UserResponse(user=user, profile=store.profile(user), history=events_of(history))
