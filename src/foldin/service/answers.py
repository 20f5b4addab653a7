"""Rankings and explanations as messages."""

from __future__ import annotations

from collections.abc import Sequence

from foldin.recommendation import Contribution, Explanation, Recommendation
from foldin.service.offload import check_cancelled
from foldin.service.rankings import ExplainResponse, Recommended, RecommendResponse
from foldin.service.scoring import Answer

__all__ = ["answered", "explained", "reasons_of", "recommended"]

MOST_REASONS = 3


def answered(
    answer: Answer,
    k: int,
    recommendation_id: str,
    reasons: Sequence[Sequence[Contribution]],
    notices: Sequence[str],
) -> RecommendResponse:
    """An answer, with the reasons of each of its items, and what is to be said of profile and query."""
    items = [recommended(one, why) for one, why in zip(answer.ranking, reasons, strict=True)]
    return RecommendResponse(
        recommendation_id=recommendation_id, model=answer.live.version, items=items, reason=_remark(answer, k, notices)
    )


def recommended(one: Recommendation, reasons: Sequence[Contribution] = ()) -> Recommended:
    """One item of a ranking."""
    return Recommended(
        item=one.item_id,
        title=one.title,
        score=one.score,
        probability=one.probability,
        probability_is_lower_bound=one.probability_is_lower_bound,
        rating=one.rating,
        basis=one.basis,
        shares=one.basis.shares(digits=4),
        reasons=reasons,
        attributes=one.item,
    )


def explained(version: str, explanation: Explanation) -> ExplainResponse:
    """Why an item has its score."""
    return ExplainResponse(
        model=version,
        item=explanation.item_id,
        score=explanation.score,
        basis=explanation.basis,
        additive=explanation.additive,
        items=list(explanation.items),
        attributes=list(explanation.attributes),
        words=list(explanation.words),
    )


def reasons_of(answer: Answer) -> list[Sequence[Contribution]]:
    """What speaks most for each item of an answer; long work, which stops where its request has ended."""
    item_ids = [one.item_id for one in answer.ranking]
    explanations = answer.live.recommender.explain_many(
        answer.history,
        item_ids,
        profile=answer.profile,
        query=answer.query,
        top=MOST_REASONS,
        check=check_cancelled,
    )
    return [_strongest(explanation) for explanation in explanations]


def _strongest(explanation: Explanation) -> Sequence[Contribution]:
    speaking = [part for part in (*explanation.items, *explanation.attributes, *explanation.words) if part.amount > 0]
    return sorted(speaking, key=lambda part: -part.amount)[:MOST_REASONS]


def _remark(answer: Answer, k: int, notices: Sequence[str]) -> str | None:
    parts = list(notices)
    if not answer.known:
        parts.append("the store knows nothing of this user, who is new, mistyped or forgotten")
    if not answer.founded:
        parts.append("no item of a history is known to the model")
    if len(answer.ranking) < k:
        parts.append(f"only {len(answer.ranking)} of {k} items are left to recommend")
    return "; ".join(parts) or None
