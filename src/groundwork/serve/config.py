"""Section `serve` of the configuration: address, limits, the answer log."""

from typing import Annotated

from pydantic import Field

from groundwork.config import Count, PositiveFloat, PositiveInt, Text, schema


@schema
class ServeConfig:
    """The HTTP service."""

    host: Text
    """IP address to listen on; 0.0.0.0 opens the service to the network, which knows no login."""
    port: Annotated[int, Field(ge=1, le=65535)]
    timeout_s: PositiveFloat
    """A request that takes longer is answered with 504."""
    state_dir: Text
    """Folder of the answer log, relative to the root of the checkout (inside a Bento: to the
    folder of `service.py`); the environment variable GROUNDWORK_STATE_DIR goes before it."""
    refresh_s: PositiveFloat
    """How often the registry is asked whether the champion moved."""
    releases_kept: PositiveInt
    """Releases besides the champion that stay open after they were asked for by name."""
    threads: PositiveInt
    """Requests that are worked on at the same time."""
    max_in_flight: PositiveInt
    """Requests being worked on or waiting; one more gets 429."""
    rate_per_s: PositiveFloat
    """Requests a second that one client address may send in the long run, per worker."""
    rate_burst: PositiveInt
    """Requests that one client address may send at once."""
    body_limit_bytes: PositiveInt
    """A larger request body gets 413."""
    question_max_chars: PositiveInt
    """A longer question or query gets 422."""
    comment_max_chars: PositiveInt
    """A longer comment of a feedback gets 422."""
    top_k_max: PositiveInt
    """Most passages that a request may ask for."""
    follow_up_words: Count
    """A question of a session with at most so many words is searched with the one before it."""
