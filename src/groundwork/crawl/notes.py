"""What a source that is a list, a feed, an API or a repository, keeps until it is read whole.

The same journal as a crawl's (see `store`), so that such a source, too, goes on after a kill and
asks for nothing twice. Once it is read, or cannot be, nothing is kept: the next run asks anew.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from groundwork.artifacts import code_version, sha256_bytes
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.store import Store, locked
from groundwork.errors import InputError


@contextmanager
def notes_of(source: Any, *, depends_on: Any, config: CrawlConfig) -> Iterator[Store]:
    """The store of a source while it is read; a kill alone leaves its journal behind.

    `source` names the source, `depends_on` is what its answers depend on besides; both plain JSON.
    """
    caps = [config.user_agent, config.max_body_bytes, config.timeout_s, config.retries]
    caps += [config.backoff_s, config.max_backoff_s, config.max_redirects]
    key = _hash([source, depends_on, caps, code_version(Path(__file__).parent)])
    with locked(_hash(source)) as (folder, _):
        store = Store(folder, answers_key=key, resume_s=config.resume_s)
        try:
            yield store
        except InputError:
            store.forget()
            raise
        finally:
            store.close()
        store.forget()


def _hash(value: Any) -> str:
    return sha256_bytes(json.dumps(value, sort_keys=True).encode())
