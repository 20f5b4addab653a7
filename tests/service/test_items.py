from __future__ import annotations

from pathlib import Path

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.workspace import open_workspace
from tests.service.server import serving


def test_an_item_that_only_the_model_knows_is_hidden_as_the_model_tells_it(
    workspace: Path, checkerboard: Interactions
) -> None:
    titles = ids_of([f"Of the model: {item_id}" for item_id in [*checkerboard.item_ids, "alone"]])
    catalog = Catalog(ids_of([*checkerboard.item_ids, "alone"]), {"title": titles})
    open_workspace(workspace).publish(fit(checkerboard, estimator=EASE(l2=1), catalog=catalog))
    with serving(workspace) as server, server.client() as client:
        hidden = client.delete("/v1/items/alone").json()
        assert hidden["attributes"] == {"title": "Of the model: alone", "hidden": "true"}
        assert hidden == client.get("/v1/items/alone").json()
        assert not hidden["available"]
        kept = client.delete("/v1/items/i02").json()
        assert kept["attributes"] == {"title": "Item i02", "topics": "even", "hidden": "true"}
