"""No release whose adapted encoder searches worse than the base encoder.

In: the gate's decision and what `evaluate` measured of the search. Out: the decision, withheld
where the adapter does harm, also from a first champion.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from groundwork.promote.gate import Decision, Reason
from groundwork.promote.guards import Guard
from groundwork.records import Split

FIGURE = "ndcg_at_10"


def refuse_worse(decision: Decision, retriever: Mapping[str, Any], *, margin: float) -> Decision:
    """Add the guard `retriever`; a search that falls by more than `margin` is not promoted.

    `retriever` is that part of `metrics.json`. Without an adapter, and without questions whose
    passages are known, there is nothing to hold.
    """
    halves = retriever["questions"].get(decision.dataset, {})
    if Split.TEST.value not in halves or not decision.candidate:
        return decision
    found = halves[Split.TEST.value][FIGURE]
    limit = round(found["base"] - margin, 6)
    held = found["adapted"] >= limit
    guard = Guard("retriever_ndcg_at_10", found["adapted"], found["base"], limit, held)
    guarded = replace(decision, guards=(*decision.guards, guard))
    if held:
        return guarded
    detail = (
        f"the adapted encoder searches worse: nDCG@10 {found['base']:.4f} -> "
        f"{found['adapted']:.4f} on {found['n']} questions, expected at least {limit:.4f}; "
        "set adapt.enabled=false"
    )
    kept = () if decision.promoted else decision.reasons
    details = () if decision.promoted else decision.details
    return replace(
        guarded,
        promoted=False,
        reasons=(*kept, Reason.RETRIEVER),
        details=(*details, detail),
    )
