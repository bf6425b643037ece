"""Each process holds a share of the frozen 4-bit weights and gathers a layer when it is due.

In: a quantised model with adapters. Out: the same model, sharded layer by layer by torch's FSDP2.
The adapters stay whole in every process: they are small, DistributedDataParallel averages their
gradients as without sharding, and checkpoints hold them as they are. A model that does not fit on
one GPU is read into the machine's memory first and moved to the GPUs one layer at a time.
"""

from typing import Any

from groundwork.base import device_type
from groundwork.errors import ConfigError


def shard(model: Any) -> None:
    """Share out the frozen weights of each block of layers among the processes of the group.

    Raises: `ConfigError` when the model has no list of layers.
    """
    import torch
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    device = device_type()
    mesh = init_device_mesh(device, (torch.distributed.get_world_size(),))
    trained = {parameter for parameter in model.parameters() if parameter.requires_grad}
    for layer in _layers(model):
        _move_scales(layer, device)
        # Not gathered between passes: who writes a checkpoint would be alone in letting it go.
        fully_shard(layer, mesh=mesh, ignored_params=trained, reshard_after_forward=True)
    frozen = {n for n, parameter in model.named_parameters() if not parameter.requires_grad}
    _move_rest(model, device)
    # DistributedDataParallel would compare and send what no process has whole.
    torch.nn.parallel.DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(
        model, [*frozen, *(name for name, _ in model.named_buffers())]
    )


def _layers(model: Any) -> list[Any]:
    import torch

    lists: list[Any] = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len(m)]
    if not lists:
        raise ConfigError(
            "train.sharded=true: the base model has no list of layers to share out; set it to false"
        )
    longest: Any = max(lists, key=len)
    return list(longest)


def _move_scales(layer: Any, device: str) -> None:
    """What turns 4-bit numbers back into floats: small, and no parameter that FSDP would move."""
    for module in layer.modules():
        state = getattr(module, "quant_state", None)
        if state is not None and device != "cpu":
            state.to(device)


def _move_rest(model: Any, device: str) -> None:
    """Embedding, norms, head, adapters and buffers, whole in every process."""
    from torch.distributed.tensor import DTensor

    if device == "cpu":
        return
    for tensor in (*model.parameters(), *model.buffers()):
        if not isinstance(tensor, DTensor):
            tensor.data = tensor.data.to(device)
    model.hf_device_map = {"": _current()}


def _current() -> int:
    import torch

    return int(torch.cuda.current_device())
