"""Bundles that take the place of the current one while a service runs, whole and damaged ones."""

from __future__ import annotations

from random import Random

from foldin.bundle import save_bundle
from foldin.data.files import replaced
from foldin.recommender import Recommender
from foldin.workspace import Workspace

__all__ = ["publish_damaged"]


def publish_damaged(workspace: Workspace, recommender: Recommender, random: Random) -> str:
    """Makes a bundle current in which one bit of one file is not as it was written; its name."""
    numbers = [bundle.number for bundle in workspace.bundles()]
    folder = workspace.folder / "bundles" / f"{max(numbers) + 1}-ease"
    save_bundle(recommender, folder)
    file = random.choice(sorted(one for one in folder.iterdir() if one.stat().st_size))
    content = bytearray(file.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    file.write_bytes(content)
    with replaced(workspace.folder / "current") as draft:
        draft.write_text(folder.name + "\n", encoding="utf-8")
    return folder.name
