"""Processes that work together through gloo, on this machine."""

import torch
import torch.distributed as dist


def _main(rank, function, count, folder, arguments):
    torch.set_num_threads(1)
    store = dist.FileStore(f"{folder}/store", count)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=count)
    try:
        function(*arguments)
        dist.barrier()  # so that none finds the others gone
    finally:
        dist.destroy_process_group()


def run_together(function, count, folder, *arguments):
    """Call a function of a module in each of `count` processes, and raise what fails in one."""
    torch.multiprocessing.spawn(_main, (function, count, folder, arguments), nprocs=count)
