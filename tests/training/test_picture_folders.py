"A folder of pictures: what is read, held out, cropped, left out and refused; and the two learners on it."

import numpy as np
import pytest
import torch
from PIL import Image
from support.training import fit

from visual_token_diffusion.core.errors import CallError, DataError
from visual_token_diffusion.diffusion.gaussian import RectifiedFlow
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.samplers.base import Sampler
from visual_token_diffusion.tokenizers.patch import PatchTokenizer
from visual_token_diffusion.training.learners import (
    PatchDenoiser, diffusion_learner, sample_pictures, tokenizer_learner,
)
from visual_token_diffusion.training.picture_folders import FolderPictures, picture_dls
from visual_token_diffusion.viz.picture_file import read_picture


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "Twenty pictures of four kinds in two folders, all of one colour"
    folder = tmp_path_factory.mktemp('pictures')
    (folder / 'more').mkdir()
    for i in range(20):
        ending = ('png', 'jpg', 'gif', 'bmp')[i % 4]
        place = folder / 'more' if i % 2 else folder
        Image.new('RGB', (30, 20), (12 * i, 80, 160)).save(place / f'{i:02}.{ending}')
    return folder


def tokenizer(size=16):
    torch.manual_seed(0)
    return PatchTokenizer(VectorQuantizer(8, 16), size=size, width=16)


def test_every_picture_is_trained_on_or_held_out(folder):
    dls = picture_dls(folder, 16, bs=5, valid_frac=0.2)
    assert len(dls.files) == 16 and len(dls.valid_ds.files) == 4
    assert not set(dls.files) & set(dls.valid_ds.files)
    seen = torch.cat([ids for _, ids in dls.train])
    assert len(seen.unique()) == len(seen) == 15, 'three batches of five, no picture twice'
    images, _ = dls.valid.one_batch()
    assert images.shape == (4, 3, 16, 16) and 0 <= images.min() and images.max() <= 1


def test_another_epoch_has_another_order_and_one_seed_one_order(folder):
    files = picture_dls(folder, 16).files

    def order(seed, epoch):
        data = FolderPictures(files, 4, 16, seed=seed)
        data.set_epoch(epoch)
        return torch.cat([ids for _, ids in data]).tolist()

    assert order(0, 0) == order(0, 0) != order(0, 1) and order(0, 0) != order(1, 0)


def test_a_picture_that_is_not_square(tmp_path):
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 200
    Image.fromarray(pixels).save(tmp_path / 'wide.png')
    crop, pad, stretch = (read_picture(tmp_path / 'wide.png', 10, fit) for fit in ('crop', 'pad', 'stretch'))
    assert (crop == 200).all(), 'the middle'
    assert (pad[:, 0] == 255).all() and pad.shape == (3, 10, 10)
    assert stretch[0, 5, 0] < 20 and stretch[0, 5, 5] > 180


def test_what_is_transparent_is_white(tmp_path):
    Image.new('RGBA', (8, 8), (0, 0, 0, 0)).save(tmp_path / 'x.png')
    assert (read_picture(tmp_path / 'x.png', 8) == 255).all()


def test_other_files_are_named(folder, tmp_path):
    for name in ('a.txt', 'b.txt', 'c.md', '.hidden'):
        (tmp_path / name).write_text('x')
    for i in range(3):
        Image.new('RGB', (8, 8)).save(tmp_path / f'{i}.png')
    with pytest.warns(UserWarning, match=r'3 pictures; 3 other files \(.txt, .md\) left out'):
        dls = picture_dls(tmp_path, 8)
    assert [f.name for f in dls.left_out] == ['a.txt', 'b.txt', 'c.md']


def test_both_learners_train_on_the_folder(folder):
    dls = picture_dls(folder, 16, bs=4)
    learn = fit(tokenizer_learner(dls, tokenizer()))
    assert torch.isfinite(torch.tensor(learn.recorder.values[-1])).all()
    model = PatchDenoiser(16, 8, 16, 1, 1)
    learn = fit(diffusion_learner(dls, model))
    pictures = {}
    for sampler in ('ddim', 'euler', 'heun', 'ancestral_gaussian', 'ddim,eta=1', Sampler.make('heun')):
        pictures[str(sampler)] = sample_pictures(learn, 2, 4, sampler=sampler)
        assert pictures[str(sampler)].shape == (2, 3, 16, 16)
    assert not torch.equal(pictures['ddim'], pictures['heun'])
    assert torch.equal(pictures['ddim'], sample_pictures(learn, 2, 4)), 'as before'


def test_the_denoiser_is_made_for_the_pictures(folder):
    assert diffusion_learner(picture_dls(folder, 24, bs=4)).model.size == 24
    with pytest.raises(ValueError, match='patches of 4 pixels do not tile pictures of 30; give another patch='):
        diffusion_learner(picture_dls(folder, 30, bs=4))


def wide_dls():
    from fastai.data.core import DataLoaders

    data = [(torch.rand(3, 16, 24), 0)] * 8
    return DataLoaders.from_dsets(data, data, bs=4)


BAD = {
    'expected `DataLoaders` of pictures, got the text': lambda f: tokenizer_learner(str(f), tokenizer()),
    'got the path .*picture_dls': lambda f: diffusion_learner(f),
    'got a VectorQuantizer; a quantizer codes vectors; put it into': lambda f: tokenizer_learner(
        picture_dls(f, 16), VectorQuantizer(8, 16)
    ),
    'got the class VectorQuantizer; a quantizer': lambda f: tokenizer_learner(picture_dls(f, 16), VectorQuantizer),
    'got the class PatchTokenizer': lambda f: tokenizer_learner(picture_dls(f, 16), PatchTokenizer),
    'expected an `ImageTokenizer`, got None': lambda f: tokenizer_learner(picture_dls(f, 16), None),
    'got a PatchTokenizer; `tokenizer_learner` trains': lambda f: diffusion_learner(picture_dls(f, 16), tokenizer()),
    'expected a network .* got a VectorQuantizer': lambda f: diffusion_learner(
        picture_dls(f, 16), VectorQuantizer(8, 16)
    ),
    "expected a `GaussianDiffusion`, got the text 'flow'": lambda f: diffusion_learner(
        picture_dls(f, 16), process='flow'
    ),
    'takes square pictures of three colours, .* 24 x 16': lambda f: diffusion_learner(wide_dls()),
    "'masked' undoes masked; .*take ancestral_gaussian, ddim": lambda f: sample_pictures(
        diffusion_learner(picture_dls(f, 16)), sampler='masked'
    ),
    "there is no sampler 'huen'; did you mean 'heun'": lambda f: sample_pictures(
        diffusion_learner(picture_dls(f, 16)), sampler='huen'
    ),
    'expected a `diffusion_learner`, got a PatchTokenizer': lambda f: sample_pictures(tokenizer()),
    'steps should be a whole number of at least 1, got 0': lambda f: sample_pictures(
        diffusion_learner(picture_dls(f, 16)), 2, 0
    ),
    "fit is 'crop', 'pad' or 'stretch'": lambda f: picture_dls(f, fit='cover'),
    'valid_frac must lie between': lambda f: picture_dls(f, valid_frac=1.0),
    'size should be a whole number between 4': lambda f: picture_dls(f, size=(16, 24)),
    'workers should be a whole number of at least 0, got -1': lambda f: picture_dls(f, workers=-1),
    'is a file; name the folder': lambda f: picture_dls(f / '00.png'),
    'is no folder': lambda f: picture_dls(f / 'nowhere'),
}


@pytest.mark.parametrize('why', BAD)
def test_what_is_refused_is_refused_at_once_in_one_line(why, folder):
    with pytest.raises(ValueError, match=why) as e:
        BAD[why](folder)
    assert '\n' not in str(e.value) and len(str(e.value)) < 300


def test_files_that_are_no_pictures(tmp_path):
    (tmp_path / 'a.txt').write_text('x')
    with pytest.raises(DataError, match=r'holds no pictures .*; 1 other file \(.txt\)'):
        picture_dls(tmp_path)
    for name in ('a.png', 'b.png'):
        (tmp_path / name).write_bytes(b'\x89PNG no')
    with pytest.raises(DataError, match='cannot be read as a picture'), pytest.warns(UserWarning):
        picture_dls(tmp_path).valid.one_batch()


def test_a_flow_is_what_is_taken_where_nothing_is_said(folder):
    assert isinstance(diffusion_learner(picture_dls(folder, 16)).process, RectifiedFlow)
    with pytest.raises(CallError, match='expected a folder of pictures, got 3'):
        picture_dls(3)
