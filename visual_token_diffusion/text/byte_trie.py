"Byte sequences that are rewritten as others, the longest match first: a trie."

__all__ = ['ByteTrie']

_LEAF = 256  # no byte


class ByteTrie:
    """Rewrites bytes by rules, from the left, always the longest that fits; a byte that no rule takes stays
    (as in MYTE; Limisiewicz and others, 2024, https://arxiv.org/abs/2403.10691)"""

    def __init__(
        self,
        rules,  # {bytes: bytes}
    ):
        "Raises `ValueError` for a rule that takes nothing"
        self.root = {}
        for source, target in rules.items():
            if not source:
                raise ValueError('a rewriting rule must take one byte at least')
            node = self.root
            for byte in source:
                node = node.setdefault(byte, {})
            node[_LEAF] = target
        self._first = [self.root.get(byte) for byte in range(256)]

    def rewrite(
        self,
        data: bytes,
    ) -> bytes:
        "`data` by the rules; takes time in proportion to its length, at most times the longest rule"
        first, n = self._first, len(data)
        done = []
        start = i = 0  # all before `start` is written
        while i < n:
            end, target = self._longest(first[data[i]], data, i, n)
            if end:
                if start < i:
                    done.append(data[start:i])
                done.append(target)
                start = i = end
            else:
                i += 1
        done.append(data[start:])
        return b''.join(done)

    def _longest(self, node, data, i, n):
        "Where the longest match that begins at `i` ends, and what it becomes; 0 where there is none"
        end, target = 0, None
        while node is not None:
            i += 1
            if _LEAF in node:
                end, target = i, node[_LEAF]
            node = node.get(data[i]) if i < n else None
        return end, target
