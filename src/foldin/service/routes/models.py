"""Models: which there are, which answers, taking another into use, and removing one."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from foldin.audit import audited
from foldin.errors import BundleError, ConfigurationError
from foldin.service.bodies import StrictRoute
from foldin.service.gate import needs
from foldin.service.messages import ModelResponse, ModelsResponse
from foldin.service.problems import problem
from foldin.service.service import Service
from foldin.wording import command
from foldin.workspace import Bundle, Workspace

__all__ = ["model_routes"]

LONGEST = 100
"""Letters of what may be a bundle's name or number, and is repeated where it is none."""


def model_routes(service: Service) -> APIRouter:
    """What a key of scope `admin` may do."""
    routes = APIRouter(
        prefix="/v1/models", tags=["models"], route_class=StrictRoute, dependencies=[Depends(needs("admin"))]
    )

    @routes.get("")
    async def models() -> ModelsResponse:
        """All bundles of the workspace, oldest first, and which of them answers."""
        bundles = await service.bundle_list.bundles()
        live = service.live.now()
        refused = service.live.refused
        return ModelsResponse(
            live=None if live is None else live.version,
            models=[_model(bundle, refused.get(bundle.name), service.workspace) for bundle in bundles],
        )

    @routes.post("/rollback")
    async def rollback(request: Request) -> ModelsResponse:
        """Takes the bundle before the current one into use."""
        await asyncio.to_thread(_audited, service, request.state.key.source, None)
        return await models()

    @routes.post("/{model}/activate")
    async def activate(model: Annotated[str, Path(max_length=LONGEST)], request: Request) -> ModelsResponse:
        """Takes a bundle into use, by its name or number."""
        await asyncio.to_thread(_audited, service, request.state.key.source, model)
        return await models()

    @routes.delete("/{model}", response_model=ModelsResponse)
    async def remove(model: Annotated[str, Path(max_length=LONGEST)], request: Request) -> ModelsResponse | Response:
        """Removes a bundle for good, by its name or number; 409 for the one in use."""
        try:
            await asyncio.to_thread(_remove, service, request.state.key.source, model)
        except ConfigurationError as error:
            return problem(409, str(error), request.state.request_id)
        return await models()

    return routes


def _remove(service: Service, by: str, model: str) -> None:
    with audited(service.workspace.folder, by, "remove", model=model) as said:
        try:
            said["model"] = service.live.remove(model)
        except ConfigurationError as error:
            raise ConfigurationError(_without_place(str(error), service.workspace)) from error


def _audited(service: Service, by: str, model: str | None) -> None:
    with audited(service.workspace.folder, by, "roll back" if model is None else "use", model=model) as said:
        try:
            said["model"] = service.live.rollback() if model is None else service.live.use(model)
        except BundleError as error:
            raise type(error)(_without_place(str(error), service.workspace)) from error


def _without_place(text: str, workspace: Workspace) -> str:
    """What is wrong with a bundle, without where the workspace is, which is nobody's business outside."""
    for words in ("train", "models use NUMBER"):
        text = text.replace(command(words, workspace.folder), f"foldin {words}")
    return text.replace(f"{workspace.folder}/", "")


def _model(bundle: Bundle, refused: str | None, workspace: Workspace) -> ModelResponse:
    return ModelResponse(
        name=bundle.name,
        current=bundle.current,
        forgotten=bundle.forgotten,
        refused=_without_place(trouble, workspace) if (trouble := bundle.damage or refused) else None,
    )
