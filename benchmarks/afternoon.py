"""The service a good engineer would write in an afternoon: FastAPI and ALS of the package `implicit`, folding in.

`python afternoon.py HISTORIES PORT`: fits on a matrix (.npz of SciPy) whose items are called item-00000 and so on, and
serves `POST /recommend`. It knows nothing of foldin, so that any Python with implicit, fastapi and uvicorn runs it.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # implicit warns at the start that it is slow with more

import numpy as np
import uvicorn
from fastapi import FastAPI
from implicit.als import AlternatingLeastSquares
from pydantic import BaseModel
from scipy.sparse import csr_matrix, load_npz


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


def create_app(histories: csr_matrix) -> FastAPI:
    model = AlternatingLeastSquares(factors=100, iterations=3, random_state=0, num_threads=1)
    model.fit(histories, show_progress=False)
    items = histories.shape[1]
    item_ids = [f"item-{index:05d}" for index in range(items)]
    indices = {item_id: index for index, item_id in enumerate(item_ids)}
    app = FastAPI()

    @app.post("/recommend")
    def recommend(asked: Asked) -> Answer:
        known = sorted({indices[item_id] for item_id in asked.history if item_id in indices})
        row = csr_matrix((np.ones(len(known), np.float32), ([0] * len(known), known)), shape=(1, items))
        found, scores = model.recommend(0, row, N=asked.k, recalculate_user=True)
        return Answer(
            items=[Recommended(item=item_ids[item], score=score) for item, score in zip(found, scores, strict=True)]
        )

    return app


if __name__ == "__main__":
    uvicorn.run(create_app(csr_matrix(load_npz(sys.argv[1]))), port=int(sys.argv[2]), access_log=False)
