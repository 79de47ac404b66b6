# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of a batch at work: on threads of this program, or on a cluster of Dask. Both hand out what
becomes of them as it happens."""

import contextlib
import logging
import queue
import threading
import time

from .batch_task import interrupted, process
from .command_line import bad_input, one_line, system_errors_of

# Seconds that are waited before looking at signals.
_PATIENCE = 0.1
_CONNECT_S = 15
# Seconds without a scheduler after which a cluster counts as gone, where Dask does not say so.
_LONGEST_LOSS_S = 30.0
# Seconds without a worker after which that is said.
_WORKERLESS_S = 10.0


class lost_cluster(Exception):
    """The scheduler is gone, and all that it knew."""


class thread_runner:
    """Runs so many recordings at a time on threads, with Dask's scheduler for them."""

    def __init__(self, jobs):
        self._jobs = jobs
        self._stop = threading.Event()
        self._news = queue.SimpleQueue()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()

    def stop(self):
        """Interrupts what is running and starts no more."""
        self._stop.set()

    def outcomes(self, tasks):
        """Yields ("bytes", count), ("outcome", (task, dict)), ("notice", sentence) and, now and
        then, None."""
        import dask

        def work(task):
            # The first of a kind, and after a stop the rest of the list.
            if self._stop.is_set():
                return
            with contextlib.suppress(interrupted):
                done = process(task, self._stop, lambda count: self._news.put(("bytes", count)))
                self._news.put(("outcome", (task, done)))

        def compute():
            with dask.config.set(scheduler="threads", num_workers=self._jobs):
                dask.compute(*[dask.delayed(work, pure=False)(task) for task in tasks])

        thread = threading.Thread(target=compute, daemon=True)
        thread.start()
        try:
            while True:
                ended = not thread.is_alive()
                with contextlib.suppress(queue.Empty):
                    while True:
                        yield self._news.get(timeout=0.0 if ended else _PATIENCE)
                if ended:
                    break
                yield None
        finally:
            self._stop.set()
            thread.join()


class cluster_runner:
    """Runs recordings on the workers of a Dask scheduler, which see the same files under the same
    names.

    address: tcp://HOST:PORT, or tls://HOST:PORT with the names of a certificate authority's file,
    a certificate and its key.
    """

    def __init__(self, address, tls_ca=None, tls_cert=None, tls_key=None):
        # Imported here: programs that use no cluster do without.
        from distributed import Client
        from distributed.security import Security

        # What goes wrong is told in a sentence, with the recordings that it concerns.
        # Dask logs under the name of whatever module is on the stack, asyncio's too.
        for name in ("distributed", "distributed.client", "asyncio", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        security = None
        if tls_ca is not None:
            for path in (tls_ca, tls_cert, tls_key):
                with system_errors_of(path):
                    open(path, "rb").close()
            security = Security(
                tls_ca_file=tls_ca,
                tls_client_cert=tls_cert,
                tls_client_key=tls_key,
                require_encryption=True,
            )
        try:
            self._client = Client(
                address, timeout=_CONNECT_S, security=security, set_as_default=False
            )
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            raise bad_input(f"--scheduler {address}: {one_line(error)}") from error
        self._address = address
        self._futures = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):  # of a scheduler that may be gone
            self._client.close(timeout=5)

    def stop(self):
        """Starts no more. What a worker has begun it brings to its end."""
        self._client.cancel(list(self._futures), force=True)

    def outcomes(self, tasks):
        """As of thread_runner; raises lost_cluster."""
        news = queue.SimpleQueue()
        # A task that was lost with its worker is not tried on others until all are gone.
        for task in tasks:
            future = self._client.submit(process, task, pure=False, retries=0)
            self._futures[future] = task
        for future in list(self._futures):
            future.add_done_callback(news.put)
        seen_s = time.monotonic()
        worked_s = seen_s
        while self._futures:
            try:
                future = news.get(timeout=_PATIENCE)
            except queue.Empty:
                if self._client.status == "running":
                    seen_s = time.monotonic()
                    if self._client.scheduler_info()["workers"]:
                        worked_s = seen_s
                    elif seen_s - worked_s > _WORKERLESS_S:
                        worked_s = float("inf")
                        yield "notice", f"{self._address} has no workers; waiting for them"
                if time.monotonic() - seen_s > _LONGEST_LOSS_S:
                    raise lost_cluster(self._address) from None
                yield None
                continue
            task = self._futures.pop(future, None)
            if task is None:
                continue
            if future.status == "cancelled":
                # Dask does so with all of them when the scheduler goes; nothing else does.
                raise lost_cluster(self._address)
            if future.status == "finished":
                done = future.result()
            else:
                done = {"state": "failed", "reason": _trouble(future)}
            future.release()
            if done["state"] == "done":
                yield "bytes", done["bytes"]
            yield "outcome", (task, done)


def _trouble(future):
    if future.status != "error":
        return f"the cluster has lost it ({future.status})"
    error = future.exception()
    return f"on the cluster: {type(error).__name__}: {one_line(error)}"
