"""The gate, the release and the registry.

`gate`, `matching` and `retriever` are imported as modules: they need `evaluate`, whose libraries
would keep the command line waiting for seconds.
"""

from groundwork.promote.comparison import Comparison, compare
from groundwork.promote.config import PromoteConfig
from groundwork.promote.lineage import Lineage, read_lineage
from groundwork.promote.registry import (
    Release,
    champion,
    crown,
    export_release,
    exported_release,
    find_champion,
    get_release,
    list_releases,
    register,
    rollback,
)
from groundwork.promote.release import (
    ROWS,
    Ingredients,
    build_release,
    check_release,
    lock_hashes,
    rows_of,
)
from groundwork.promote.store import is_missing_store

__all__ = [
    "ROWS",
    "Comparison",
    "Ingredients",
    "Lineage",
    "PromoteConfig",
    "Release",
    "build_release",
    "champion",
    "check_release",
    "compare",
    "crown",
    "export_release",
    "exported_release",
    "find_champion",
    "get_release",
    "is_missing_store",
    "list_releases",
    "lock_hashes",
    "read_lineage",
    "register",
    "rollback",
    "rows_of",
]
