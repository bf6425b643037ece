"""The BentoML service: mounts the application of `groundwork.serve` and tells it when to open.

Run it with `bentoml serve` (or `groundwork serve`); pack it with `bentoml build`.
"""

import os
import sys
from pathlib import Path

import bentoml
from bentoml._internal.utils.analytics import usage_stats

from groundwork.artifacts import check_manifest
from groundwork.config import load
from groundwork.errors import GroundworkError
from groundwork.serve import ServeConfig, create_app, require_release

ROOT = Path(__file__).resolve().parent

# No usage reports unless someone asks for them. BentoML's command line has looked at the variable
# before it imports this module and remembers what it saw, hence the second line.
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
usage_stats.do_not_track.cache_clear()

try:
    if sys.argv[1:2] == ["build"]:  # BentoML has no hook for it, and would pack no release at all
        require_release(ROOT / "release")
        check_manifest(ROOT / "release")
    config = load("serve", ServeConfig, ROOT / "params.yaml")
    app = create_app(ROOT)
except GroundworkError as error:
    sys.exit(f"groundwork: {error}")


@bentoml.asgi_app(app)
@bentoml.service(
    name="groundwork",
    http={"host": config.host, "port": config.port},
    traffic={"timeout": config.timeout_s},
)
class Groundwork:
    """Answers from the champion release, with citations."""

    @bentoml.on_startup
    async def open(self) -> None:
        """Load the champion release."""
        await app.startup()

    @bentoml.on_shutdown
    async def close(self) -> None:
        """Close the answer log."""
        await app.shutdown()

    def __is_ready__(self) -> bool:
        """What `/readyz` says."""
        return app.ready
