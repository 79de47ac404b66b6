# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a configuration file, and where."""

from dataclasses import dataclass

_MOST_TOLD = 50


@dataclass(frozen=True, order=True)
class config_problem:
    """line: from 1 on; path: keys and indices down to the value; text: what is wrong with it and
    what is allowed; may_pass: the file may be right, and what it names is not there yet."""

    line: int
    path: tuple
    text: str
    may_pass: bool = False

    def told(self, name):
        """One line, ``file:line: path: text``."""
        path = path_text(self.path)
        return f"{name}:{self.line}: {path + ': ' if path else ''}{self.text}"


class config_error(ValueError):
    """A configuration file cannot be used; one line for each problem, up to 50.

    problems: config_problem objects in the order of the file. may_pass: whether all of them may
    pass by themselves, as when a disk is mounted.
    """

    def __init__(self, name, problems):
        self.name = str(name)
        self.problems = sorted(set(problems), key=lambda p: (p.line, path_text(p.path), p.text))
        self.may_pass = all(problem.may_pass for problem in self.problems)
        told = [problem.told(name) for problem in self.problems[:_MOST_TOLD]]
        more = len(self.problems) - len(told)
        if more:
            told.append(f"{name}: and {more} more")
        super().__init__("\n".join(told))


def path_text(path):
    """``channels[1].bandwidth_hz`` for ("channels", 1, "bandwidth_hz")."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            # A key is a stranger's text: one line, no control characters.
            part = part if part.isprintable() and len(part) <= 60 else repr(part[:60])
            text += f".{part}" if text else part
    return text
