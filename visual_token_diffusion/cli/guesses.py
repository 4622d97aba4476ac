"""What somebody meant who typed something else: another command, arguments in another order, a text without quotes."""

from pathlib import Path

from ..core.errors import InputError

__all__ = ['command_hint', 'is_model', 'near', 'option_hint', 'split_picture', 'split_text', 'wrong_model']

PICTURES = {'.png', '.jpg', '.jpeg', '.gif', '.bmp', '.webp', '.tif', '.tiff', '.ppm'}


def near(
    name,  # what was typed
    known,  # names that would do
) -> str:
    "'; did you mean X?' for the nearest of the known names, or nothing"
    import difflib  # only where something is wrong: `vtd --help` does not wait for it

    found = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f'; did you mean {found[0]}?' if found else ''


def is_model(
    path,  # a folder, or anything
) -> bool:
    "Whether a folder looks like that of a model"
    return path is not None and (Path(path) / 'config.json').is_file()


def _quoted(word):
    "A word as a shell takes it"
    import shlex

    return shlex.quote(str(word))


def _line(words):
    "Words as a line that a shell takes"
    return ' '.join(map(_quoted, words))


def command_hint(
    typed: list,  # the words after `vtd`, options left out
    commands,  # names of the commands
) -> str:
    "What is wrong with a first word that is no command"
    word, others = typed[0], typed[1:]
    if word == 'help':
        return f"there is no command 'help'; did you mean `vtd {_line([*others[:1], '--help'])}`?"
    swapped = [other for other in others if other in commands]
    if swapped:
        rest = _line([word, *(other for other in others if other != swapped[0])])
        return f"the command comes first; did you mean `vtd {swapped[0]} {rest}`?"
    if is_model(word):
        return f"'{word}' is a model, not a command; did you mean `vtd generate {_quoted(word)}`?"
    if Path(word).is_file():
        todo = 'decode' if Path(word).suffix.lower() == '.png' else 'train'
        return f"'{word}' is a file, not a command; did you mean `vtd {todo} {_quoted(word)}`?"
    return f"there is no command '{word}'{near(word, commands) or '; known: ' + ', '.join(commands)}"


def _is_setting(name):
    "Whether a training has a setting of this name"
    from ..core.config import RunConfig

    return name in RunConfig.__dataclass_fields__


def option_hint(
    command,  # as it is called, such as 'vtd generate'
    rest: list,  # what the parser did not understand
    options,  # that the command has
) -> str:
    "What is wrong with words that are left over"
    wrong = next((word.split('=')[0] for word in rest if word.startswith('-')), None)
    if wrong:
        setting = wrong.lstrip('-').replace('-', '_')
        if command == 'vtd train' and _is_setting(setting):
            return f"{command} has no option {wrong}; a setting is written {setting}=VALUE"
        known = [option for option in options if option.startswith('--')]
        return f"{command} has no option {wrong}{near(wrong, known)}"
    text = ' '.join(rest)
    return f"{command} does not know what to do with '{text}'; a text of several words goes into quotes"


def wrong_model(
    path,  # what was given as a model
) -> str:
    "Why something is no model, and what to do instead; nothing where it may be one"
    path = Path(path)
    quoted = _quoted(str(path))
    if path.is_file() and path.suffix.lower() == '.png':
        return f'{path} is a picture, not a model; read it with `vtd decode {quoted}`'
    if path.is_file() and path.suffix.lower() in PICTURES:
        return f'{path} is a picture, not a model'
    if path.is_file():
        return f'{path} is a file, not a model; train one on a text: vtd train {quoted} -o runs/{path.stem}'
    if path.exists() or str(path).count('/') == 1 and path.parent != Path('runs') and not path.parent.is_dir():
        return ''  # a folder, whose loader says what it lacks, or a name on the hub
    if ' ' in str(path):
        return f'there is no folder {quoted}; a text to begin with goes behind --prompt {quoted}'
    found = [str(folder) for folder in (*Path('.').glob('*/'), *Path('runs').glob('*/')) if is_model(folder)]
    return f'there is no folder {path}{near(path, found) or f"; train one with `vtd train -o {path}`"}'


def _swapped(command, first, second, out=''):
    "The line that puts two arguments into the right order"
    words = _line([command, str(second), str(first)])
    return f'the model comes first; did you mean `vtd {words}{out}`?'


def split_text(
    words: list,  # of the command line
) -> tuple:
    "`(model or None, text)` of the words of `vtd encode`. Raises `InputError`"
    if not words:
        raise InputError('there is no text to draw; give one in quotes, or - for standard input')
    if len(words) > 2:
        raise InputError(f'expected [DIR] TEXT, got {len(words)} words; put the text into quotes')
    if len(words) == 1:
        if is_model(words[0]):
            raise InputError(f'{words[0]} is a model; give the text too: vtd encode {words[0]} TEXT -o X.png')
        return None, words[0]
    model, text = words
    if not is_model(model) and is_model(text):
        raise InputError(_swapped('encode', model, text, ' -o X.png'))
    if not Path(model).exists() and '/' not in model:
        both = _quoted(' '.join(words))
        raise InputError(f"there is no model '{model}'; for one text of two words: vtd encode {both} -o X.png")
    return model, text


def split_picture(
    words: list,  # of the command line
) -> tuple:
    "`(model or None, picture)` of the words of `vtd decode`. Raises `InputError`"
    if not 1 <= len(words) <= 2:
        raise InputError(f'expected [DIR] X.png, got {len(words)} words')
    if len(words) == 1:
        if Path(words[0]).is_dir():
            raise InputError(f'{words[0]} is a folder; name the picture too: vtd decode {words[0]} X.png')
        return None, words[0]
    model, picture = words
    if not is_model(model) and is_model(picture):
        raise InputError(_swapped('decode', model, picture))
    return model, picture
