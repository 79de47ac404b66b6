# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file, or a page on a web server, that always holds what is newest."""

import collections
import itertools
import os

from . import state_server

_MOST_CHANNELS = 64
_count = itertools.count()


class state_file:
    """Holds the newest text, in a file that is replaced at once and on a web server.

    Readers of the file see the text before or the one after, never a part.

    path: of the file, or "" for none. serve: (host, port) of the web server, or None; page: what
    it is asked for, such as "/doa.xml". by_channel: the text is that of all channels, one after
    the other; else of the channel that was heard last.
    """

    retries = False
    is_one_text = True

    def __init__(self, path="", serve=None, page="/", content_type="text/plain", by_channel=False):
        self._path = os.fspath(path)
        self._by_channel = by_channel
        self._texts = collections.OrderedDict()
        self._page = None
        if serve is not None:
            self._page = state_server.open_page(*serve, page, content_type)
        self.name = " and ".join(filter(None, (self._path, self.url)))

    @property
    def url(self):
        """Where it is served, or ""."""
        return "" if self._page is None else self._page.url

    def start(self):
        """Serves from now on. Until then the address is only taken."""
        if self._page is not None:
            self._page.start()

    def write(self, text, channel=None):
        """Raises OSError."""
        if self._by_channel:
            # In the order in which channels were first heard.
            self._texts[channel] = text
            if len(self._texts) > _MOST_CHANNELS:
                self._texts.popitem(last=False)
            text = "".join(self._texts.values())
        if self._page is not None:
            self._page.set_text(text)
        if self._path:
            self._replace(text.encode())

    def _replace(self, data):
        """Not on the disk for certain when this returns: a bearing is old after a power cut."""
        folder, name = os.path.split(self._path)
        beside = os.path.join(folder, f".{name}.{os.getpid()}-{next(_count)}.part")
        try:
            with open(beside, "xb") as file:
                file.write(data)
            os.replace(beside, self._path)
        except OSError:
            try:
                os.unlink(beside)
            except OSError:
                pass
            raise

    def close(self):
        if self._page is not None:
            self._page.close()
            self._page = None
