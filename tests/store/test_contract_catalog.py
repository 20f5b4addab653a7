"""Whether the catalogue has changed can be asked without reading it; no change is missed, or lost to another."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TypeAlias

import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.data.profiles import Profiles
from foldin.errors import DataError, NotFoundError
from foldin.store.contract import Batch, Impression, Store
from foldin.store.opening import open_store

LogOf: TypeAlias = Callable[..., Interactions]
PARTS = 30


def items(*item_ids: str, title: str = "A title") -> Catalog:
    return Catalog(ids_of(item_ids), {"title": ids_of([title] * len(item_ids))})


def adding(attributes: dict[str, str]) -> Callable[[dict[str, str] | None], dict[str, str]]:
    return lambda known: {**(known or {}), **attributes}


def test_every_writing_of_the_catalogue_counts(store: Store, log_of: LogOf) -> None:
    versions = [store.catalog_version()]
    writings: list[Callable[[], object]] = [
        lambda: store.put_catalog(items("x", "y")),
        lambda: store.put_catalog(items("x", title="Another title")),
        lambda: store.put_catalog(Catalog(ids_of(["x"]))),
        lambda: store.alter_item("x", adding({"hidden": "true"})),
        lambda: store.ingest([], catalog=items("z")),
        lambda: store.ingest([Batch(log_of([("ann", "w")]), "a")], catalog=items("w")),
    ]
    for write in writings:
        write()
        versions.append(store.catalog_version())
    assert sorted(set(versions)) == versions


def test_nothing_else_does(store: Store, log_of: LogOf) -> None:
    store.put_catalog(items("x"))
    before = store.catalog_version()
    store.ingest([Batch(log_of([("ann", "x"), ("ann", "new")]), "a")], profiles=Profiles(ids_of(["ann", "bob"])))
    store.append([Batch(log_of([("cid", "newer")]), "a")])
    store.put_profiles(Profiles(ids_of(["cid"]), {"role": ids_of(["admin"])}))
    store.show([Impression("r", "ann", "1-ease", 0, ("x", "new"))])
    store.forget("ann")
    store.readmit("ann")
    assert store.catalog_version() == before


def test_a_failed_writing_does_not_count(store: Store, log_of: LogOf) -> None:
    before = store.catalog_version()
    with pytest.raises(DataError):
        store.ingest([Batch(log_of([("nul\0", "x")]), "a")], catalog=items("x"))
    assert (store.catalog_version(), len(store.catalog())) == (before, 0)


def test_it_is_the_same_for_everybody_and_stays(store: Store, url: str) -> None:
    with open_store(url) as other:
        for part in range(3):
            store.put_catalog(items(f"i{part}"))
            assert other.catalog_version() == store.catalog_version()
        other.put_catalog(items("theirs"))
        assert store.catalog_version() == other.catalog_version()
    before = store.catalog_version()
    store.close()
    with open_store(url) as again:
        assert again.catalog_version() == before


def test_whoever_sees_the_new_number_sees_the_new_catalogue(store: Store, url: str) -> None:
    first = store.catalog_version()

    def write() -> None:
        with open_store(url) as other:
            for part in range(PARTS):
                other.put_catalog(items(f"i{part}"))

    writer = Thread(target=write)
    writer.start()
    written = 0
    while written < PARTS and writer.is_alive():
        written = store.catalog_version() - first
        assert len(store.catalog()) >= written
    writer.join()
    assert len(store.catalog()) == store.catalog_version() - first == PARTS


def test_an_item_is_altered_from_what_the_catalogue_says(store: Store, log_of: LogOf) -> None:
    store.ingest([Batch(log_of([("ann", "seen")]), "a")], catalog=items("x", "y"))
    told: list[dict[str, str] | None] = []

    def change(known: dict[str, str] | None) -> dict[str, str]:
        told.append(known)
        return {"hidden": "true", **(known or {})}

    for item_id in ("x", "seen", "new"):
        store.alter_item(item_id, change)
    assert told == [{"title": "A title"}, None, None]
    catalog = store.catalog()
    assert list(catalog.item_ids) == ["x", "y", "seen", "new"]
    hidden = {"hidden": "true"}
    titled = {"title": "A title"}
    assert [catalog.item(index) for index in range(4)] == [hidden | titled, titled, hidden, hidden]


def test_a_change_that_fails_alters_nothing(store: Store) -> None:
    store.put_catalog(items("x"))
    before = store.fingerprint(), store.summary(), store.catalog_version()

    def fail(_: dict[str, str] | None) -> dict[str, str]:
        raise NotFoundError("no such item")

    with pytest.raises(NotFoundError, match="no such item"):
        store.alter_item("x", fail)
    for item_id, attributes in (("nul\0", {}), ("new", {"title": "\ud800"})):
        with pytest.raises(DataError, match="NUL or a lone surrogate"):
            store.alter_item(item_id, adding(attributes))
    assert (store.fingerprint(), store.summary(), store.catalog_version()) == before


def test_no_change_of_an_item_is_lost_to_another(store: Store, url: str) -> None:
    def write(name: str) -> None:
        with open_store(url) as other:
            for part in range(PARTS):
                other.alter_item("x", adding({f"{name}{part}": "done"}))

    writers = [Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert set(store.catalog().item(0)) == {f"{name}{part}" for name in "ab" for part in range(PARTS)}


def test_names_that_were_written_before_they_were_told_are_read_as_one(store: Store) -> None:
    store.alter_item("x", lambda _: {"Hidden": "true"})
    store.alter_item("y", lambda _: {"hidden": "false"})
    assert store.catalog().attributes["hidden"].tolist() == ["true", "false"]
