"""What HTTP and the framework alone can do: `python bare.py PORT` takes the message of `/v1/recommend`, and answers it
with ten items that are always the same, without key, model, store or log."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Asked(BaseModel):
    """Who wants what."""

    history: list[str]
    k: int = 10


class Recommended(BaseModel):
    """An item of the ranking."""

    item: str
    score: float


class Answer(BaseModel):
    """The ranking."""

    items: list[Recommended]


def create_app() -> FastAPI:
    app = FastAPI()
    items = [Recommended(item=f"item-{index:05d}", score=1 / (1 + index)) for index in range(10)]

    @app.post("/recommend")
    async def recommend(asked: Asked) -> Answer:  # noqa: ARG001 - it is read, which is what it is about
        return Answer(items=items)

    return app


if __name__ == "__main__":
    uvicorn.run(create_app(), port=int(sys.argv[1]), access_log=False)
