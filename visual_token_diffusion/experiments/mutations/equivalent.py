"Faults of the sample that change nothing that can be observed, by their keys, each with the reason."

__all__ = ['EQUIVALENT']

EQUIVALENT = {
    # quantizers/fsq.py, encode: z for z.detach()
    'ca5aca9d0c16': 'codes are whole numbers, which have no gradient: nothing flows back with or without it',
    # codebooks/balanced_kmeans.py, cut_in_two: side | known for side & known
    '6e3b8f0e5caf': 'where the second part is not empty, the first is known throughout, so its mean becomes that of '
    'all points, and the way from there to the mean of the second part has the same direction',
    # codebooks/balanced_kmeans.py, _leaf_order: members for members.clamp(min=0)
    '0446ff1b346c': 'places of the padding take the last point instead of the first; the next line masks them',
    # diffusion/token_information.py, DecodingThresholds: all left singular vectors
    'd3c70919abbe': 'only the first `rank` columns are used, and they are the same; it takes more memory',
    # encoders/characters.py, letter_ids: -2 for -1 in reshape
    '0cce8c4abaf6': 'numpy takes any negative number as the side that follows from the others',
    # encoders/icon_choice.py, _nearest_rows: features for features.detach()
    '7cb0edcffdfd': 'the result is numbers of rows, which have no gradient',
    # models/checkpoint.py, find_checkpoint: the second file's folder for the first one's
    '1876c136edaa': 'the hub keeps all files of one revision in one folder',
    # core/configured_files.py, _kept: tensor for tensor.detach()
    '1af457e925a4': 'the tensors of a state dict are detached already',
    # training/muon.py, _turn: a square matrix is transposed before it is made orthogonal, and back afterwards
    '9c437b971f10': 'an odd polynomial of a matrix, transposed, is that of its transpose',
    # networks/heads/adaptive.py, __init__: ones for zeros as the prior of every list
    '6e69e858aa01': 'a softmax does not change with a constant; `set_prior` writes over it',
}
