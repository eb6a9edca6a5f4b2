"""The command line: `safemap bench`, `report`, `compare` and `recommend`."""

from __future__ import annotations

import os
import shlex
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Final

from safemap.bench import commands
from safemap.bench.arguments import UsageError, parser
from safemap.bench.commands import INTERRUPTED, OK, USAGE, say

if TYPE_CHECKING:
    from collections.abc import Sequence

EXTRAS: Final = {"rich", "fastjsonschema", "platformdirs"}
BROKEN_PIPE: Final = 141
"""As a shell has it: 128 and the number of SIGPIPE."""


def main(argv: Sequence[str] | None = None) -> int:  # noqa: PLR0911 - a return for each way to end
    """Run a command and return its exit code.

    0: done; 1: what the command is there to find (a wrong map, something slower, no map that will do); 2: the
    command line or a file is wrong, or an extra is not there; 130: Ctrl-C.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        options = parser().parse_args(argv, Namespace(line=shlex.join(["safemap", *argv])))
        return commands.COMMANDS[options.command](options)
    except SystemExit as done:  # --help and --version
        return done.code if isinstance(done.code, int) else OK
    except (UsageError, *commands.USERS_ERRORS) as error:
        return say(str(error), USAGE)
    except BrokenPipeError:  # as `head` does it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is None:
            raise
        return say(f"{error.filename}: {error.strerror}", USAGE)
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in EXTRAS:
            raise
        return say(f"this needs {name}: pip install 'safemap[bench]'", USAGE)
    except KeyboardInterrupt:
        return say("interrupted", INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
