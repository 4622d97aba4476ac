"Settings: one name, one type and one default for each, and everything else refused in one line."

import configparser
import math
import string
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import few
from visual_token_diffusion.core.config import RunConfig, SettingsError, load_settings
from visual_token_diffusion.core.registry import seam_base

root = Path(__file__).resolve().parents[2]
types = {f.name: type(f.default).__name__ for f in fields(RunConfig)}


def ini():
    c = configparser.ConfigParser(interpolation=None)
    c.read(root / 'settings.ini')
    return c


def test_every_key_of_settings_ini_is_a_field():
    c = ini()
    for s in ['DEFAULT', *c.sections()]:
        assert set(c[s]) <= set(types), set(c[s]) - set(types)


@pytest.mark.parametrize('profile', ['ci', 'cpu', 'gpu', 'gpus'])
def test_built_in_profiles_equal_the_file(profile, tmp_path, monkeypatch):
    here = load_settings(profile, file=root / 'settings.ini')
    monkeypatch.chdir(tmp_path)
    assert load_settings(profile) == here


bad = [
    (dict(profile='cpuu'), 'cpu'),
    (dict(overrides=['widht=3']), 'width'),
    (dict(overrides=['steps=many']), 'steps'),
    (dict(overrides=['steps']), 'key=value'),
    (dict(overrides=['lr=nan']), 'lr'),
    (dict(overrides=['profile=gpu']), 'profile'),
    (dict(overrides=['grid=0']), 'grid'),
    (dict(overrides=['length=100000']), '65536'),
    (dict(overrides=['precision=fp8']), 'fp32'),
    (dict(overrides=['unit=lettres']), "'letters'"),
    (dict(overrides=['unit=os:path']), 'Vocab'),
    (dict(overrides=['unit=:x']), 'unit'),
    (dict(overrides=['encoder=pyramide']), "'pyramid'"),
    (dict(overrides=['head=feature']), "'feature_tree'"),
    (dict(overrides=['process=masks']), "'masked'"),
]


@pytest.mark.parametrize('kw,near', bad)
def test_bad_settings_are_one_line(kw, near):
    with pytest.raises(SettingsError) as e:
        load_settings(**kw)
    assert near in str(e.value) and '\n' not in str(e.value)


seams = [('encoder', 'pyramid'), ('decoder', 'flat'), ('head', 'hierarchical')]
seams += [('codebook', 'random'), ('semantics', 'glyphs'), ('process', 'autoregressive')]
seams += [('sampler', 'ancestral'), ('unit', 'bytes')]


@pytest.mark.parametrize('key,name', seams)
def test_registered_parts_are_choices(key, name):
    assert getattr(load_settings('ci', [f'{key}={name}']), key) == name


defaults = ['encoder', 'decoder', 'head', 'codebook', 'semantics', 'process']


@pytest.mark.parametrize('key', defaults)
def test_defaults_are_registered(key):
    assert getattr(RunConfig(), key) in seam_base(key).names()


def test_profile_from_environment(monkeypatch):
    monkeypatch.setenv('VTD_PROFILE', 'ci')
    assert load_settings().profile == 'ci'


names = ['auto', 'words', 'cpu', 'fp32', 'masked', 'none', 'pyramid', '']
numbers = st.one_of(st.floats(), st.floats(0, 1)).map(repr)
letters = st.text(string.ascii_letters, max_size=5)
values = dict(
    int=st.integers(-3, 10**7).map(str),
    float=numbers,
    str=st.one_of(st.sampled_from(names), letters),
)


def overrides_of(keys):
    return st.fixed_dictionaries({k: values[types[k]] for k in keys})


keys = st.dictionaries(st.sampled_from(sorted(types)), st.just(0), max_size=4)


@given(keys.flatmap(overrides_of))
def test_settings_are_usable_or_refused_in_one_line(d):
    try:
        cfg = load_settings('ci', [f'{k}={v}' for k, v in d.items()])
    except SettingsError as e:
        assert '\n' not in str(e) and any(k in str(e) for k in [*d, 'width', 'heads'])
        return
    for k, v in asdict(cfg).items():
        assert type(v).__name__ == types[k], f'{k}={v}'
        assert not isinstance(v, float) or math.isfinite(v), f'{k}={v}'
    assert cfg.width % cfg.heads == 0
    for k, v in d.items():
        assert getattr(cfg, k) == type(getattr(cfg, k))(v)


@given(st.text(max_size=200))
@few
def test_any_settings_file_is_read_or_refused_in_one_line(tmp_path_factory, text):
    f = tmp_path_factory.getbasetemp() / 'settings.ini'
    f.write_text(text, encoding='utf-8', errors='surrogatepass')
    try:
        load_settings('ci', file=f)
    except SettingsError as e:
        assert '\n' not in str(e)
