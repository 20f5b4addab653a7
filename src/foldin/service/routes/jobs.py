"""Training: starting it, and how it goes."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Request, Response

from foldin.audit import audited
from foldin.models.zoo import estimator_named
from foldin.service.bodies import StrictRoute
from foldin.service.gate import needs
from foldin.service.jobs import Job, RunningError
from foldin.service.messages import JobResponse, JobsResponse, TrainRequest
from foldin.service.problems import problem
from foldin.service.service import Service

__all__ = ["job_routes"]


def job_routes(service: Service) -> APIRouter:
    """What a key of scope `admin` may do."""
    routes = APIRouter(prefix="/v1", tags=["training"], route_class=StrictRoute, dependencies=[Depends(needs("admin"))])

    @routes.post("/train", status_code=202, response_model=JobResponse)
    async def train(request: Request, response: Response, asked: TrainRequest | None = None) -> JobResponse | Response:
        """Starts a training; the bundle it makes goes live by itself. One at a time: else 409, which names the job."""
        asked = asked or TrainRequest()
        if asked.model is not None:
            estimator_named(asked.model)  # refuses a name that is none before anything starts
        try:
            job = await asyncio.to_thread(_started, service, request.state.key.source, asked)
        except RunningError as error:
            running = [{"field": "job", "message": str(error.job)}]
            return problem(409, str(error), request.state.request_id, running)
        response.headers["Location"] = f"/v1/jobs/{job.id}"
        return _message(job)

    @routes.get("/jobs")
    async def jobs() -> JobsResponse:
        """The trainings that were started here, oldest first, and what became of them."""
        return JobsResponse(jobs=[_message(job) for job in await asyncio.to_thread(service.jobs.all)])

    @routes.get("/jobs/{job}")
    async def one(job: int) -> JobResponse:
        """How a training goes."""
        return _message(await asyncio.to_thread(service.jobs.job, job))

    return routes


def _started(service: Service, by: str, asked: TrainRequest) -> Job:
    with audited(service.workspace.folder, by, "start training", model=asked.model, seed=asked.seed) as said:
        job = service.jobs.start(asked.model, asked.seed)
        assert job is not None
        said["job"] = job.id
    return job


def _message(job: Job) -> JobResponse:
    return JobResponse(**{field: getattr(job, field) for field in JobResponse.model_fields})
