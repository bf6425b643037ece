"""The same seeds, threads and kernels, so that the same inputs give the same weights."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reproducible(*, seed: int, threads: int) -> Iterator[None]:
    """Seed every generator and ask torch for deterministic kernels; settings return afterwards.

    On a GPU a kernel that has no deterministic form warns and runs: equal bytes are promised on
    one processor type only, for the same number of `threads`.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import numpy as np
    import torch

    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1], warn_only=warn_only)
