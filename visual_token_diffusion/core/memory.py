"""How much is free, asked before something large is built."""

__all__ = ['memory_free']


def memory_free(device='cpu') -> int:
    "Bytes that are free on `device`; a large number where nobody can tell"
    if str(device).startswith('cuda'):
        import torch

        return torch.cuda.mem_get_info(torch.device(device))[0]
    try:
        return next(
            int(line.split()[1]) * 1024 for line in open('/proc/meminfo') if line.startswith('MemAvailable')
        )
    except (OSError, StopIteration):
        return 2**60
