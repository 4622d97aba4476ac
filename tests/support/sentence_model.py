"A stand-in for `sentence_transformers`: the same calls, rows that share what words share in letters."

import types
import zlib

import numpy as np


class SentenceTransformer:
    "Counts of letter triples, hashed; 'broken' is a model that cannot be loaded"

    def __init__(self, name, device=None):
        if 'broken' in name:
            raise OSError(f'{name} is not a local folder\nand is not a valid model identifier')
        self.name = name

    def encode(self, texts, batch_size=32, convert_to_numpy=True, normalize_embeddings=False, show_progress_bar=None):
        rows = np.zeros((len(texts), 4096), np.float32)
        for row, text in zip(rows, texts):
            padded = f' {text.lower()} '
            for start in range(len(padded) - 2):
                row[zlib.crc32(padded[start : start + 3].encode()) % 4096] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def module():
    "What `import sentence_transformers` finds"
    made = types.ModuleType('sentence_transformers')
    made.SentenceTransformer = SentenceTransformer
    return made
