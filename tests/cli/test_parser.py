"The words of `vtd`: examples that parse, and what three shells complete."

import os
import shlex
import shutil
import subprocess

import pytest

from visual_token_diffusion.cli.parser import make_parser, parse_arguments
from visual_token_diffusion.cli.shell import completion

ORDERS = {'random', 'confidence', 'left_to_right', 'dilated'}


def test_help_has_examples_that_parse():
    "Every line that help offers is understood"
    commands = next(a for a in make_parser()._actions if hasattr(a, 'add_parser')).choices
    n = 0
    for name, parser in commands.items():
        for line in parser.epilog.split('\n\n')[0].splitlines()[1:]:
            words = shlex.split(line.split(' > ')[0].split(' < ')[0])
            assert parse_arguments(words[1:])['command'] == name
            n += 1
    assert n >= 11


def bash_completes(words):
    "What bash offers after the tab key"
    program = f'''{completion(make_parser(), "bash")}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1))
_shtab_vtd 2>/dev/null; echo ${{COMPREPLY[@]}}'''
    ran = subprocess.run(['bash', '-c', program], capture_output=True, text=True)
    return ran.stdout.split()


def test_bash_completes_commands_and_options():
    assert bash_completes('vtd gen') == ['generate']
    assert bash_completes('vtd generate --skip') == ['--skip-bad']
    assert set(bash_completes('vtd generate --order ""')) == ORDERS
    for kind in ('zsh', 'fish'):
        script = completion(make_parser(), kind)
        assert 'generate' in script and 'skip-bad' in script


@pytest.mark.skipif(not shutil.which('fish'), reason='fish is not here')
def test_fish_completes(tmp_path):
    (tmp_path / 'vtd.fish').write_text(completion(make_parser(), 'fish'))
    env = os.environ | dict(HOME=str(tmp_path))

    def completes(line):
        program = f'source {tmp_path}/vtd.fish; complete -C "{line}"'
        ran = subprocess.run(['fish', '-c', program], capture_output=True, text=True, env=env)
        return [offer.split('\t')[0] for offer in ran.stdout.splitlines()]

    assert completes('vtd gen') == ['generate']
    assert completes('vtd generate --sk') == ['--skip-bad']
    assert set(completes('vtd generate --order ')) == ORDERS


@pytest.mark.skipif(not shutil.which('zsh'), reason='zsh is not here')
def test_zsh_completes(tmp_path):
    "In a terminal of its own, with the tab key"
    (tmp_path / '_vtd').write_text(completion(make_parser(), 'zsh'))
    script = f'''zmodload zsh/zpty; zpty z zsh -f -i
zpty -w z "fpath=({tmp_path} \\$fpath); autoload -U compinit; compinit -u -D; PS1="; sleep 1
for q in "vtd gen" "vtd generate --sk"; do
zpty -w -n z "$q"$'\\t'; sleep 1; zpty -w -n z $'\\C-u'; sleep .2
done
while zpty -r -t z o; do print -rn -- "$o"; done; zpty -d z'''
    ran = subprocess.run(['zsh', '-f', '-c', script], capture_output=True, text=True, timeout=60)
    assert 'vtd generate' in ran.stdout and '--skip-bad' in ran.stdout, ran.stdout
