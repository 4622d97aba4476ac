"Loading a CLIP, by name, by folder, and what is said when it cannot be had."

import json
import pytest, torch
from visual_token_diffusion.semantics.clip import SourceError, load_clip
from visual_token_diffusion.semantics.small_clip import new_clip, save_clip
from visual_token_diffusion.semantics.sources import features

gen = lambda s=0: torch.Generator().manual_seed(s)


@pytest.fixture(scope='module')
def small():
    return load_clip('small')


def test_open_clip_itself_reads_our_folder(small, tmp_path):
    import open_clip

    new = new_clip(3)
    save_clip(new, tmp_path / 'c')
    model = open_clip.create_model(f"local-dir:{tmp_path/'c'}").eval()
    x = torch.rand(4, 3, 32, 32, generator=gen())
    back = load_clip(tmp_path / 'c')
    assert torch.allclose(
        torch.nn.functional.normalize(model.encode_image(back.ready(x)), dim=1),
        back.pictures(x),
        atol=1e-5,
    )
    assert torch.allclose(
        back.pictures(x), new.eval().pictures(x), atol=2e-2
    )  # half precision on disk
    assert torch.allclose(back.texts(['a red cat']), new.texts(['a red cat']), atol=2e-2)


def test_a_model_by_name_with_a_file_of_weights(tmp_path):
    "The way of the published models: open_clip's own name, and weights that are loaded into it"
    import open_clip

    new = new_clip(5).eval()
    (tmp_path / 'vtd-test-tiny.json').write_text(
        json.dumps(
            new.config
            | dict(text_cfg=new.config['text_cfg'] | dict(vocab_size=49408, context_length=77))
        )
    )
    open_clip.add_model_config(tmp_path / 'vtd-test-tiny.json')
    m = open_clip.create_model('vtd-test-tiny')
    torch.save(m.state_dict(), tmp_path / 'w.pt')
    got = load_clip('vtd-test-tiny', str(tmp_path / 'w.pt'))
    x = torch.rand(2, 3, 64, 64, generator=gen())
    assert got.pictures(x).shape == (2, 64) and got.texts(['a red cat', '猫 🐈']).shape == (2, 64)
    assert torch.allclose(
        got.texts(['a cat']),
        torch.nn.functional.normalize(
            m.eval().encode_text(open_clip.get_tokenizer('ViT-B-32')(['a cat'])), dim=1
        ),
        atol=1e-5,
    )
    f = features(['cat', 'dog'], 'clip', model='vtd-test-tiny', pretrained=str(tmp_path / 'w.pt'))
    assert torch.equal(f, got.texts(['cat', 'dog']))


def test_what_cannot_be_had_is_one_line(tmp_path, monkeypatch):
    import open_clip

    def no_network(*a, **k):
        raise OSError('cannot reach the hub\nbecause of this\nand that')

    (tmp_path / 'empty').mkdir()
    cases = [
        ('ViT-B-33', None, 'no folder and no open_clip model'),
        ('ViT-B-32', None, 'pretrained='),
        (str(tmp_path / 'empty'), None, 'holds no open_clip model'),
    ]
    for name, tag, why in cases:
        with pytest.raises(SourceError, match=why) as e:
            load_clip(name, tag)
        assert '\n' not in str(e.value)
    monkeypatch.setattr(open_clip, 'create_model', no_network)
    with pytest.raises(
        SourceError, match="Without a network, name a local folder or file, or use 'small'"
    ) as e:
        load_clip('ViT-B-32', 'openai')
    assert '\n' not in str(e.value)


def test_pictures_as_a_source():
    f = features(['cat', 'dog', 'house'], 'pictures')
    assert f.shape == (3, 64)
    with pytest.raises(ValueError, match="such as 'because'"):
        features(['cat', 'because'], 'pictures')
