"""Which pages say the same: clusters of duplicates around the page that was kept."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from groundwork.clean.reasons import Reason
from groundwork.records import Reject

_REPEATS = re.compile(r"repeats (\S+) \(similarity (\d\.\d+)\)")
REPEATS = (Reason.EXACT_DUPLICATE, Reason.NEAR_DUPLICATE)


def clusters_of(report: Mapping[str, Any], rejects: Sequence[Reject]) -> list[dict[str, Any]]:
    """Clusters as the report lists them, else as the details of the rejects name them.

    Each has `canonical`, the page kept, and `pages` with `url`, `similarity` and `left_out`.
    """
    if "clusters" in report:
        return list(report["clusters"])
    clusters: dict[str, list[dict[str, Any]]] = {}
    for reject in rejects:
        found = _REPEATS.match(reject.detail)
        if reject.reason in REPEATS and found:
            page = {"url": reject.key, "similarity": float(found[2]), "left_out": True}
            clusters.setdefault(found[1], []).append(page)
    return [{"canonical": kept, "pages": clusters[kept]} for kept in sorted(clusters)]
