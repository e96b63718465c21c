"""Celery's messages as files in a folder of the data folder, safe against torn files and killed workers.

Kombu's own channel writes a message under its final name, takes it by a move through the system's
temporary folder, keeps its bindings in files that are rewritten in place, and lets one file that it
cannot read end the worker. Here a message is written under a hidden name and renamed, taken by a
rename inside the same folder, and set aside when it cannot be read. A binding is a file of its own
that its consumer renews, so that the whole folder may be lost at any time: messages are wake-ups,
and what is missing is made again.

    queue/<time>_<random>.<queue>.msg          waiting messages, oldest first
    control/<exchange>/<digest>.binding        which queue wants what of an exchange
    processed/                                 files that could not be read, the last few of them
"""

from __future__ import annotations

import hashlib
import heapq
import logging
import os
import re
import time
import uuid
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual
from kombu.transport.filesystem import exchange_queue_t
from kombu.utils.json import dumps, loads

URL = "portal-files://"
"""What the settings call this transport; the folders stand in the transport options."""
TRANSPORT_ALIASES["portal-files"] = "pacs_portal.broker:Transport"

LISTED_AT_ONCE = 1000
"""Names of waiting messages that are kept in memory for one queue."""
CARE_EVERY_S = 10.0
"""How often a consumer renews its bindings and removes what killed processes left."""
LEFT_BEHIND_AFTER_S = 300.0
"""Age at which a hidden file, or a passing queue without a consumer, belongs to nobody any more."""
LONGEST_WAIT_S = 0.25
"""Celery looks between two waits whether its worker shall end; its own wait of 2 s is felt at every Ctrl-C."""
KEPT_UNREADABLE = 50
"""Unreadable files that are kept for whoever wants to know."""
PASSING_QUEUE = re.compile(r"\.pidbox\Z|\Aceleryev\.|\Aamq\.gen-")
"""Queues of one process: remote control, its replies, events."""

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """Queues and bindings as files that are only ever whole."""

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._listed: dict[str, deque[str]] = {}
        self._next_care: dict[str, float] = {}

    # --- Messages -------------------------------------------------------------------------------------------------

    # Kombu's own two classes disagree on the name of the second argument.
    def _put(self, queue: str, payload: Any, **_kwargs: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{_checked(queue)}.msg"
        try:
            _write_whole(self._queue_folder / name, dumps(payload).encode())
        except OSError as error:
            raise ChannelError(f"The message for the queue '{queue}' cannot be written: {error.strerror}.") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        self._take_care(queue)
        for name in self._oldest_first(queue):
            content = self._take(name)
            if content is None:
                continue  # Another consumer was faster.
            payload = self._understood(content)
            if payload is not None:
                return payload
            self._set_aside(name, content)
        raise Empty

    def _oldest_first(self, queue: str) -> Iterator[str]:
        """Yield names from the last listing; list the folder again only when it is used up."""
        listed = self._listed.setdefault(queue, deque())
        if not listed:
            listed.extend(heapq.nsmallest(LISTED_AT_ONCE, self._waiting(queue)))
        while listed:
            yield listed.popleft()

    def _waiting(self, queue: str) -> Iterator[str]:
        ending = f"{queue}.msg"
        for name in _names(self._queue_folder):
            if not name.startswith(".") and name.partition(".")[2] == ending:
                yield name

    def _take(self, name: str) -> bytes | None:
        """Claim a message by a rename, and return what it holds; None when another has it."""
        claimed = self._queue_folder / f".taken-{name}"
        try:
            os.rename(self._queue_folder / name, claimed)
            # The age of what a killed consumer leaves counts from here, not from the writing.
            os.utime(claimed)
            content = claimed.read_bytes()
            claimed.unlink()
        except OSError:
            return None
        return content

    def _understood(self, content: bytes) -> Any:
        """Return the message, or None for a file that is torn, foreign, or not a message."""
        try:
            payload = loads(content.decode())
            virtual.Message(payload, channel=self)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        return payload

    def _set_aside(self, name: str, content: bytes) -> None:
        folder = Path(self.processed_folder)
        logger.warning("A message file could not be read and was set aside.", extra={"file": name})
        try:
            _write_whole(folder / f"unreadable-{name}", content[: 2**20])
            for old in sorted(_names(folder))[:-KEPT_UNREADABLE]:
                (folder / old).unlink(missing_ok=True)
        except OSError as error:
            logger.warning("The unreadable message file was not kept.", extra={"file": name, "reason": error.strerror})

    def _purge(self, queue: str) -> int:
        self._listed.pop(queue, None)
        count = 0
        for name in list(self._waiting(queue)):
            try:
                (self._queue_folder / name).unlink()
            except FileNotFoundError:
                continue
            count += 1
        return count

    def _size(self, queue: str) -> int:
        return sum(1 for _name in self._waiting(queue))

    # --- Bindings -------------------------------------------------------------------------------------------------

    def get_table(self, exchange: str) -> list[Any]:
        """Return the bindings of an exchange: this process's own, and those on disk."""
        own = self.state.exchanges.get(exchange, {}).get("table", [])
        bindings = {_binding(*meta): None for meta in own}
        folder = self._binding_folder(exchange)
        for name in _names(folder):
            binding = _read_binding(folder / name)
            if binding is not None:
                bindings[binding] = None
        return list(bindings)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        binding = _binding(routing_key, pattern, queue)
        path = self._binding_file(exchange, binding)
        try:
            os.utime(path)
        except FileNotFoundError:
            try:
                _write_whole(path, dumps(list(binding)).encode())
            except OSError as error:
                raise ChannelError(f"The queue '{queue}' cannot be bound: {error.strerror}.") from error

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *_args: Any, **_kwargs: Any) -> None:
        self._binding_file(exchange, _binding(routing_key, pattern, queue)).unlink(missing_ok=True)
        if PASSING_QUEUE.search(queue):
            self._purge(queue)

    def _binding_folder(self, exchange: str) -> Path:
        self._exchange_file(exchange)  # Raises for a name that is no file name.
        return self.control_folder / (exchange or "amq.default")

    def _binding_file(self, exchange: str, binding: exchange_queue_t) -> Path:
        digest = hashlib.sha256(dumps(list(binding)).encode()).hexdigest()[:32]
        return self._binding_folder(exchange) / f"{digest}.binding"

    # --- Care -----------------------------------------------------------------------------------------------------

    def _take_care(self, queue: str) -> None:
        """Renew a consumer's bindings and remove what nobody holds, now and then."""
        now = time.monotonic()
        if now < self._next_care.get(queue, 0.0):
            return
        self._next_care[queue] = now + CARE_EVERY_S
        try:
            self._queue_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for exchange, routing_key, arguments in list(self.state.queue_bindings(queue)):
                self._queue_bind(exchange, *self.typeof(exchange).prepare_bind(queue, exchange, routing_key, arguments))
            self._remove_what_nobody_holds()
        except (OSError, ChannelError) as error:
            logger.warning("The broker's folder cannot be looked after.", extra={"reason": str(error)})

    def _remove_what_nobody_holds(self) -> None:
        oldest = time.time() - LEFT_BEHIND_AFTER_S
        for name in _names(self._queue_folder):
            if name.startswith(".") or PASSING_QUEUE.search(name.partition(".")[2].removesuffix(".msg")):
                _remove_older(self._queue_folder / name, oldest)
        for folder in self.control_folder.glob("*/"):
            for name in _names(folder):
                binding = _read_binding(folder / name)
                if binding is None or PASSING_QUEUE.search(binding.queue):
                    _remove_older(folder / name, oldest)

    @property
    def _queue_folder(self) -> Path:
        return Path(self.data_folder_in)


class Transport(filesystem.Transport):
    """The transport of ``portal-files://``."""

    Channel = Channel
    global_state = virtual.BrokerState()

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """There is no host; without this its absence is a warning at every connection."""
        return {}

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        """Wait for messages, but not longer than a worker that is told to end may sleep."""
        super().drain_events(connection, timeout if timeout is None else min(timeout, LONGEST_WAIT_S), **kwargs)


def _checked(queue: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9@._-]{1,180}", queue):
        raise ChannelError(f"The queue name {queue!r} is not one: letters, digits, '@', '.', '_' and '-' are.")
    return queue


def _names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry.name
    except (FileNotFoundError, NotADirectoryError):
        return  # Made when something is first written into it.


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file that is never seen half, under a name that is never seen before."""
    hidden = path.with_name(f".new-{uuid.uuid4()}")
    try:
        try:
            hidden.write_bytes(content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            hidden.write_bytes(content)
        os.rename(hidden, path)
    except OSError:
        hidden.unlink(missing_ok=True)
        raise


def _binding(routing_key: str | None, pattern: str | None, queue: str | None) -> exchange_queue_t:
    return exchange_queue_t(routing_key or "", pattern or "", queue or "")


def _read_binding(path: Path) -> exchange_queue_t | None:
    try:
        routing_key, pattern, queue = loads(path.read_bytes().decode())
    except (OSError, ValueError, TypeError):
        return None
    return exchange_queue_t(str(routing_key), str(pattern), str(queue))


def _remove_older(path: Path, oldest: float) -> None:
    try:
        if path.stat().st_mtime < oldest:
            path.unlink()
    except FileNotFoundError:
        return  # Its holder, or another consumer, was faster.
