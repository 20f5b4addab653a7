"""The benchmarks' own arithmetic: a reference that is wrong would prove nothing."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from benchmarks import ml100k, plain_ease
from benchmarks.load import Load, load, request
from benchmarks.measuring import Figure, fastest, table
from benchmarks.worlds import skewed_histories
from foldin.data.splitting import Holdout
from foldin.evaluation.evaluate import evaluate
from foldin.models.ease import EASE

L2 = 20.0


@pytest.fixture(scope="module")
def histories() -> csr_array:
    return skewed_histories(120, 40, 8)


@pytest.fixture(scope="module")
def holdout() -> Holdout:
    """Other users' histories, every third item of each withheld."""
    whole = skewed_histories(60, 40, 8, seed=1).toarray()
    whole[:, :2] = [1, 1]  # something to show and something to find for everyone
    places = np.cumsum(whole, axis=1) * whole
    targets = (places % 3 == 1).astype(np.float32)
    return Holdout(np.arange(60), csr_array(whole - targets), csr_array(targets))


def test_plain_ease_gives_the_scores_of_ours(histories: csr_array, holdout: Holdout) -> None:
    weights = plain_ease.fit(histories.toarray().astype(np.float64), L2)
    ours = EASE(L2).fit(histories)
    np.testing.assert_allclose(ours.weights, weights, atol=1e-5)
    np.testing.assert_allclose(ours.score(holdout.fold_in), holdout.fold_in.toarray() @ weights, atol=1e-4)
    assert np.abs(weights).max() > 0.01


def test_plain_ease_solves_its_problem(histories: csr_array) -> None:
    """Off the diagonal the gradient X'(XB - X) + l2 B is zero; on it stands the constraint."""
    dense = histories.toarray().astype(np.float64)
    weights = plain_ease.fit(dense, L2)
    gradient = dense.T @ (dense @ weights - dense) + L2 * weights
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-9
    assert not np.diag(weights).any()


def test_plain_metrics_are_those_of_ours(histories: csr_array, holdout: Holdout) -> None:
    weights = plain_ease.fit(histories.toarray().astype(np.float64), L2)
    score = ml100k.plain_scores(weights, holdout)
    ours = evaluate(score, holdout, popularity=np.full(40, 0.5), metrics=("ndcg@10", "recall_capped@3"))
    shown, targets = holdout.fold_in.toarray(), holdout.targets.toarray()
    scores = score(slice(None)).astype(np.float64)
    ten, three = (plain_ease.hits(scores, shown, targets, k) for k in (10, 3))
    np.testing.assert_allclose(ours.values("ndcg@10"), plain_ease.ndcg(ten, targets))
    np.testing.assert_allclose(ours.values("recall_capped@3"), plain_ease.recall(three, targets))


def test_plain_metrics_of_a_hand_computed_ranking() -> None:
    """Best first: items 1, 2, 0 (3 is shown); the targets are 2 and 0."""
    scores, shown = np.array([[0.1, 0.9, 0.5, 1.0]]), np.array([[0.0, 0, 0, 1]])
    targets = np.array([[1.0, 0, 1, 0]])
    found = plain_ease.hits(scores, shown, targets, 2)
    assert found.tolist() == [[False, True]]
    assert plain_ease.recall(found, targets) == [0.5]
    assert plain_ease.ndcg(found, targets) == pytest.approx([(1 / np.log2(3)) / (1 + 1 / np.log2(3))])


def test_skewed_histories_have_the_length_asked_for_and_unequal_items() -> None:
    histories = skewed_histories(500, 200, 20)
    popularity = histories.sum(axis=0)
    assert histories.nnz / 500 == pytest.approx(20, rel=0.05)
    assert popularity.max() > 4 * popularity.min()


@pytest.mark.parametrize(
    ("theirs", "limit", "holds"), [(4.0, 0.5, True), (3.0, 0.5, False), (None, 2.0, True), (None, 1.9, False)]
)
def test_a_limit_is_on_the_ratio_or_on_ours_alone(theirs: float | None, limit: float, holds: bool) -> None:
    figure = Figure("loading", 2.0, theirs, limit)
    assert figure.holds is holds
    assert ("holds" if holds else "EXCEEDED") in table([figure])


def test_a_figure_without_a_limit_informs_only() -> None:
    figure = Figure("loading", 2.0, 1.0, None)
    assert figure.holds
    assert "holds" not in table([figure])


def test_actions_take_turns() -> None:
    turns: list[str] = []
    times = fastest(2, lambda: turns.append("ours"), lambda: turns.append("theirs"))
    assert turns == ["ours", "theirs", "ours", "theirs"]
    assert len(times) == 2


def test_the_load_generator_counts_what_was_answered_and_what_was_refused(tmp_path: Path) -> None:
    def answer(connection: socket.socket) -> None:
        for status in (b"200 OK", b"503 Busy", b"200 OK"):
            whole = b""
            while not whole.endswith(b'{"k": 1}'):  # a request arrives in pieces, too
                whole += connection.recv(9)
            head = b"HTTP/1.1 " + status + b"\r\ncontent-length: 4\r\n\r\n"
            for piece in (head[:20], head[20:], b"do", b"ne"):
                connection.sendall(piece)

    requests = tmp_path / "requests.json"
    requests.write_text(json.dumps([request("/", {"k": 1})]), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread:
        found = thread.submit(load, Load(server.getsockname()[1], str(requests), connections=1, seconds=60, most=2))
        with server.accept()[0] as connection:
            answer(connection)
        assert (found.result().answered, found.result().refused) == (2, 1)
        assert found.result().p99 > 0
