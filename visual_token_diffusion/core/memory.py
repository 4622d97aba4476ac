"""How much is free, asked before something large is built."""

__all__ = ['check_memory', 'memory_free']


def memory_free(device='cpu') -> int:
    "Bytes that are free on `device`; a large number where nobody can tell"
    if str(device).startswith('cuda'):
        import torch

        return torch.cuda.mem_get_info(torch.device(device))[0]
    try:
        with open('/proc/meminfo') as file:
            lines = [line for line in file if line.startswith('MemAvailable')]
        return int(lines[0].split()[1]) * 1024
    except (OSError, IndexError):
        return 2**60


def check_memory(
    n_bytes,  # that something would take
    what: str,  # is going to take it: the subject of 'need'
    device='cpu',
):
    "Raises `ValueError` with the estimate if so much is not free"
    free = memory_free(device)
    if n_bytes <= free:
        return
    raise ValueError(f'{what} need {n_bytes / 1e9:,.1f} GB, {free / 1e9:,.1f} GB are free')
