"Free memory, as far as somebody can tell."

import builtins

from visual_token_diffusion.core.memory import memory_free


def test_some_memory_is_free():
    assert memory_free() > 2**20


def test_nobody_can_tell(monkeypatch):
    "Without /proc/meminfo nothing is refused"

    def missing(*args, **kwargs):
        raise FileNotFoundError

    monkeypatch.setattr(builtins, 'open', missing)
    assert memory_free() == 2**60
