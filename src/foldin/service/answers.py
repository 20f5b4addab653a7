"""Rankings and explanations as messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from foldin.data.catalog import TITLES
from foldin.data.interactions import History
from foldin.data.profiles import Profile
from foldin.recommendation import Contribution, Explanation, Recommendation
from foldin.recommender import Recommender
from foldin.service.messages import Basis, ExplainResponse, Reason, Recommended, RecommendResponse
from foldin.service.scoring import Answer

__all__ = ["answered", "explained", "recommended"]

MOST_REASONS = 3


def answered(answer: Answer, k: int, *, explain: bool) -> RecommendResponse:
    """An answer, with the reasons of each item where they are asked for."""
    recommender = answer.live.recommender
    items = [
        recommended(one, _reasons(recommender, answer.history, answer.profile, one) if explain else ())
        for one in answer.ranking
    ]
    return RecommendResponse(model=answer.live.version, items=items, reason=_remark(answer, k))


def recommended(one: Recommendation, reasons: Sequence[Reason] = ()) -> Recommended:
    """One item of a ranking."""
    return Recommended(
        item=one.item_id,
        title=next((one.item[name] for name in TITLES if name in one.item), one.item_id),
        score=one.score,
        probability=one.probability,
        rating=one.rating,
        basis=_basis(one),
        shares={name: round(share, 4) for name, share in one.basis.shares().items()},
        reasons=list(reasons),
        attributes=dict(one.item),
    )


def explained(version: str, explanation: Explanation) -> ExplainResponse:
    """Why an item has its score."""
    return ExplainResponse(
        model=version,
        item=explanation.item_id,
        score=explanation.score,
        basis=_basis(explanation),
        additive=explanation.additive,
        items=_listed(explanation.items),
        attributes=_listed(explanation.attributes),
    )


def _reasons(recommender: Recommender, history: History, profile: Profile, one: Recommendation) -> list[Reason]:
    explanation = recommender.explain(history, one.item_id, profile=profile)
    speaking = [part for part in (*explanation.items, *explanation.attributes) if part.amount > 0]
    return _listed(sorted(speaking, key=lambda part: -part.amount)[:MOST_REASONS])


def _remark(answer: Answer, k: int) -> str | None:
    parts = []
    if not answer.known:
        parts.append("nobody has heard of this user")
    if not answer.live.recommender.knows(answer.history):
        parts.append("no item of a history is known to the model")
    if len(answer.ranking) < k:
        parts.append(f"only {len(answer.ranking)} of {k} items are left to recommend")
    return "; ".join(parts) or None


def _basis(one: Recommendation | Explanation) -> Basis:
    basis = one.basis
    return Basis(history=basis.history, profile=basis.profile, content=basis.content, popularity=basis.popularity)


def _listed(contributions: Iterable[Contribution]) -> list[Reason]:
    return [Reason(name=part.name, amount=part.amount) for part in contributions]
