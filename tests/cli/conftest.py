"A folder with a trained model, shared by the tests of the command line."

import pytest

from support.command_line import quiet_main, real_text


@pytest.fixture(scope='session')
def folder(tmp_path_factory):
    "`python.txt` and a model of it in `model`; what the training said in `train.log`"
    folder = tmp_path_factory.mktemp('vtd')
    (folder / 'python.txt').write_text(real_text()[:150_000], encoding='utf-8')
    sizes = ['--profile', 'ci', 'steps=40', 'epochs=2']
    code, said, errors = quiet_main(folder, 'train', 'python.txt', '-o', 'model', *sizes)
    assert code == 0, errors
    (folder / 'train.log').write_text(said)
    return folder
