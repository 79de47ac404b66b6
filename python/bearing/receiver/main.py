# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-receiver: the unattended receiver that one file describes."""

import argparse
import shutil
import sys
import time

from ..tools.command_line import BAD_INPUT, FAILED, OK, bad_input, one_line, run, told_by_system
from .config import config_error, load_config
from .description import description_lines
from .log import LEVELS, library_output, start_logging
from .schema_check import schema_json
from .service import cannot_start, service
from .status_file import is_in_use, only_one, read_status, state_folder_in_use
from .status_screen import status_lines

PROGRAM = "bearing-receiver"
NOT_RUNNING = 3  # as systemctl status says it


class not_now(Exception):
    """What may work another time, though nothing changes in the file; in one sentence."""


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Runs the direction finder that a file describes, until SIGTERM or Ctrl-C. "
        "SIGHUP reloads the file; one that is wrong changes nothing.",
        epilog="Exit code 0: stopped as asked; 1: the receiver failed, or cannot start now; 2: the "
        "command line or the file is wrong; 3, of --status: no receiver runs.",
    )
    parser.add_argument(
        "config", metavar="CONFIG", nargs="?", help="YAML file, see docs/receiver.md"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--check", action="store_true", help="only check the file and say what it describes"
    )
    group.add_argument(
        "--status", action="store_true", help="print what the running receiver of that file does"
    )
    group.add_argument(
        "--print-schema",
        action="store_true",
        help="print the JSON Schema of the file, for editors that check while one writes",
    )
    parser.add_argument(
        "--log-level", choices=LEVELS, default="info", help="what is logged, default: info"
    )
    arguments = parser.parse_args(argv)
    if arguments.config is None and not arguments.print_schema:
        parser.error("CONFIG is missing")
    return arguments


def read_config(path):
    """The receiver_config of a file; raises bad_input for one that cannot be read."""
    try:
        return load_config(path)
    except OSError as error:
        raise told_by_system(error.filename or path, error) from error


def check(path):
    config = read_config(path)
    print("\n".join(description_lines(config)))
    return OK


def status(path):
    """Prints one screen; NOT_RUNNING when there is no receiver."""
    folder = read_config(path).state_folder
    try:
        is_running, last = is_in_use(folder), read_status(folder)
    except PermissionError as error:
        raise not_now(
            f"{folder}: {error.strerror}; it may be the service's own: try again with sudo"
        ) from error
    except OSError as error:
        raise told_by_system(error.filename or folder, error) from error
    except ValueError as error:
        raise bad_input(f"{folder}: {error}") from error
    size = shutil.get_terminal_size((80, 24))
    print("\n".join(status_lines(last, is_running, time.time(), size.columns, size.lines)))
    return OK if is_running else NOT_RUNNING


def receive(path, log_level, make_receiver, make_web_server):
    try:
        config = load_config(path)
    except OSError as error:
        raise not_now(f"{error.filename or path}: {error.strerror or error}") from error
    start_logging(log_level)
    folder = config.state_folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with only_one(folder), library_output():
            service(config, make_receiver, make_web_server).run()
    except cannot_start as error:
        raise bad_input(f"{path}: {error}") from error
    except state_folder_in_use as error:
        raise not_now(error) from error
    except OSError as error:
        raise not_now(f"{error.filename or folder}: {error.strerror or error}") from error
    return OK


def main(argv=None, make_receiver=None, make_web_server=None):
    """Entry point; argv: the command line without the program's name. The exit code.

    make_receiver, make_web_server: in place of the receiver's own classes.
    """

    def body(argv):
        arguments = parse_arguments(argv)
        try:
            if arguments.print_schema:
                print(schema_json())
                return OK
            if arguments.check:
                return check(arguments.config)
            if arguments.status:
                return status(arguments.config)
            return receive(
                arguments.config,
                arguments.log_level,
                make_receiver or _receiver,
                make_web_server or _web_server,
            )
        except config_error as error:
            # One line for each problem, as compilers do it.
            print(error, file=sys.stderr)
            is_to_run = not (arguments.check or arguments.status)
            return FAILED if error.may_pass and is_to_run else BAD_INPUT
        except not_now as error:
            print(f"{PROGRAM}: {one_line(error)}", file=sys.stderr)
            return FAILED
        except BrokenPipeError:
            return FAILED

    return run(PROGRAM, body, argv)


def _receiver(config):
    # Checking a file and asking for the status need no radio.
    from .receiver import receiver

    return receiver(config)


def _web_server(receiver, config):
    from .web import web_server

    return web_server(receiver, config)
