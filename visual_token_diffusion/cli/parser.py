"""The words that `vtd` understands: one parser, help with examples, and what a shell completes."""

import argparse
import re
import sys

from .guesses import command_hint, near, option_hint

__all__ = ['make_parser', 'parse_arguments']


def _command(commands, name, summary, *examples, more=''):
    "Add a command, whose help ends with examples and `more`; returns what adds arguments to it"
    title = 'examples:' if len(examples) > 1 else 'example:'
    parser = commands.add_parser(
        name, help=summary, description=summary, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='\n'.join([title, *(f'  vtd {name} {e}'.rstrip() for e in examples)]) + more,
    )
    argument = parser.add_argument
    argument('--json', action='store_true', help='one JSON object on standard output, for scripts')
    argument('-q', '--quiet', action='store_true', help='print nothing but what was asked for')
    argument('-v', '--verbose', action='store_true',
             help='say more on standard error, with a traceback when something fails')
    return argument


def _batch_arguments(argument):
    "Where prompts come from"
    argument('--prompt', default='', metavar='TEXT', help='text that every sample begins with')
    argument('--prompts', metavar='FILE',
             help="a prompt on every line of FILE ('-': standard input); one sample for each, written as they come")
    argument('--batch', type=int, default=64, metavar='B', help='prompts of FILE at once (default 64)')
    argument('--skip-bad', action='store_true',
             help='name prompts that cannot be used on standard error, and go on')
    argument('-n', type=int, default=1, metavar='N', help='number of samples (default 1)')
    argument('--length', type=int, metavar='L', help="tokens in a sample (default: the model's own)")


def _sampling_arguments(argument):
    "How a sampler goes"
    argument('--steps', type=int, default=32, metavar='S', help='denoising steps (default 32)')
    argument('--seed', type=int, default=0, metavar='K', help='one seed, one result (default 0)')
    argument('--temperature', type=float, default=1.0, metavar='T',
             help='below 1 is safer, above 1 wilder (default 1)')
    argument('--top-p', type=float, default=1.0, metavar='P',
             help='keep the likeliest codes that together reach P (default 1: all)')
    argument('--order', choices=('random', 'confidence', 'left_to_right', 'dilated'),
             help='which tokens a masked model writes first (default dilated: those of a step stand far apart; '
             'with --remask random)')
    argument('--block', type=int, default=0, metavar='B',
             help='write block after block of B tokens (default: all at once)')
    argument('--remask', action='store_true',
             help='mask again what is least certain (with --order confidence, else by chance)')
    argument('--sampler', metavar='NAME[,key=value]',
             help="another sampler, such as entropy_bound,bound=.5 (default: the model's own)")


_SETTINGS = """

often set: steps, epochs, batch, lr, seed, width, depth, length, threads; and by name (vtd compare lists the names)
  unit, codebook, encoder, decoder, process, head; all settings, with defaults and what they do:
  python -c "from visual_token_diffusion import RunConfig; help(RunConfig)\""""


def _add_train(commands):
    argument = _command(
        commands, 'train', 'Train a model on text files, or without any on stories that the library writes.', '',
        'book.txt -o runs/book steps=1000', 'book.txt encoder=pyramid process=partial',
        'book.txt -o runs/book steps=1000 --resume', more=_SETTINGS,
    )
    argument('words', nargs='*', metavar='FILE|key=value',
             help='UTF-8 text files, or one folder of documents or token shards; and settings such as steps=1000')
    argument('-o', '--out', metavar='DIR', help='folder for the model (default runs/NAME)')
    argument('--profile', metavar='P', help='run profile: ci, cpu, gpu, gpus (default $VTD_PROFILE or cpu)')
    resumed = 'continue an interrupted training in DIR, or with steps=N a finished one'
    argument('--resume', action='store_true', help=resumed)


def _add_generate(commands):
    argument = _command(
        commands, 'generate', 'Write samples as text, and as a picture or an animation.', '-n 3',
        'runs/book --prompt "the cat" -n 3 --out cat.gif',
        'runs/book --prompts prompts.txt --json > texts.jsonl',
    )
    argument('model', metavar='DIR', nargs='?',
             help='folder of a trained model (default: the one that ships, which tells stories)')
    _batch_arguments(argument)
    _sampling_arguments(argument)
    argument('--out', metavar='FILE.png|.gif|.html',
             help='also draw the samples (.png) or the denoising (.gif; .html to wind through)')


def _add_pictures(commands):
    argument = _command(
        commands, 'encode', 'Turn a text into a picture that can be read back.',
        '"the cat sleeps" -o cat.png', 'runs/book "the cat sleeps" -o cat.png', 'runs/book - -o page.png < page.txt',
    )
    argument('given', nargs='*', metavar='[DIR] TEXT',
             help='folder of a trained model (default: the one that ships), and the text, or - for standard input')
    argument('-o', '--out', required=True, metavar='X.png', help='picture to write')
    argument('--words', action='store_true', help='also write X.words.png, with the words under the grids')
    argument = _command(commands, 'decode', 'Read the text of a picture.', 'runs/book cat.png', 'drawn.png')
    argument('given', nargs='*', metavar='[DIR] X.png',
             help='folder of the model that wrote it (default: the one that ships, or `vtd draw`), and the picture')


def _add_draw(commands):
    argument = _command(
        commands, 'draw', 'Draw a text with an icon for every word that has one, without a model.',
        '"the cat sleeps under the tree" -o cat.png', '- -o page.png --words < page.txt',
        '"die Katze schläft" -o katze.png --language de',
    )
    argument('text', metavar='TEXT', help='the text, or - to read it from standard input')
    argument('-o', '--out', required=True, metavar='X.png', help='picture to write')
    argument('--language', metavar='CODE', help='language of the words, such as en, de, ru, ja (default: guessed)')
    argument('--words', action='store_true', help='also write X.words.png, with the words under the grids')


def _add_rest(commands):
    argument = _command(commands, 'info', 'Say what a model is and what was measured.', 'runs/book', 'runs/book --json')
    argument('model', metavar='DIR', nargs='?',
             help='folder of a trained model (default: the one that ships), or any file or folder')
    argument = _command(
        commands, 'completion', 'Print what teaches a shell to complete the words of vtd.',
        'bash > ~/.local/share/bash-completion/completions/vtd', 'zsh > ~/.zfunc/_vtd',
        'fish > ~/.config/fish/completions/vtd.fish',
    )
    argument('shell', choices=('bash', 'zsh', 'fish'), help='yours')


def _add_compare(commands):
    argument = _command(
        commands, 'compare', 'Compare parts of a seam, yours too, against exact yardsticks, a control and a trivial '
        'predictor.', '', 'quantizer vq fsq lfq residual', 'quantizer mine.py:MyQuantizer vq --seeds 5',
        'sampler masked masked,order=confidence entropy_bound -o runs/samplers',
    )
    argument('seam', nargs='?', metavar='SEAM', help='what kind of part; without it seams and parts are listed')
    argument('words', nargs='*', metavar='PART|key=value',
             help='names, module:Class or file.py:Class, options behind commas; and settings such as steps=400')
    argument('--world', metavar='W', help="tw-288, tw-2, stories, emoji or a text file (default: the seam's first)")
    argument('--seeds', type=int, metavar='N', help='repetitions (default 3)')
    argument('--baseline', metavar='PART', help='the part that others are compared with (default: the first)')
    argument('--profile', metavar='P', help='run profile: ci, cpu, gpu (default $VTD_PROFILE or cpu)')
    argument('-o', '--out', metavar='DIR', help='folder for the report (default runs/compare-SEAM-WORLD)')


class _Parser(argparse.ArgumentParser):
    "A parser that complains in one line"

    def error(self, message):
        chosen = re.match(r"argument (.+): invalid choice: '(.*)' \(choose from (.*)\)", message)
        if chosen:
            name, value, known = chosen.groups()
            known = known.replace("'", '').split(', ')
            hint = near(value, known) or f"; known: {', '.join(known)}"
            message = f"{name} cannot be '{value}'{hint}"
        self.exit(2, f'vtd: {message} ({self.prog} --help)\n')


def make_parser() -> argparse.ArgumentParser:
    "The parser of `vtd`"
    parser = _Parser(
        prog='vtd', description='A language in which every token is a picture.',
        epilog='example: vtd generate   (more with vtd COMMAND --help)',
    )
    parser.add_argument('--version', action='store_true', help='print the version')
    commands = parser.add_subparsers(dest='command', metavar='COMMAND')
    for add in (_add_train, _add_generate, _add_pictures, _add_draw, _add_compare, _add_rest):
        add(commands)
    return parser


def _check_command(parser, argv, commands):
    "Refuse a first word that is no command"
    typed = [word for word in argv if not word.startswith('-')]
    if typed and typed[0] not in commands and argv[0] == typed[0]:
        parser.error(command_hint(typed, commands))


def parse_arguments(
    argv=None,  # words; None takes those of the process
) -> dict:
    "The arguments by name; words may also follow options where a command takes several. Raises `SystemExit`"
    argv = sys.argv[1:] if argv is None else argv
    parser = make_parser()
    commands = next(a for a in parser._actions if hasattr(a, 'add_parser')).choices
    _check_command(parser, argv, commands)
    found, rest = parser.parse_known_args(argv)
    args = vars(found)
    several = next((name for name in ('words', 'given') if isinstance(args.get(name), list)), None)
    if rest and (several is None or any(word.startswith('-') for word in rest)):
        command = commands[found.command] if found.command else parser
        command.error(option_hint(command.prog, rest, command._option_string_actions))
    if rest:
        args[several] += rest
    if not args['command'] and not args['version']:
        parser.print_help()
        raise SystemExit(2)
    return args
