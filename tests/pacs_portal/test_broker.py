"""Messages as files: whole or not there, each taken once, and nothing that ends a worker."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Consumer, Exchange, Queue

from pacs_portal import broker


def options(folder: Path) -> dict[str, Any]:
    return {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "processed_folder": str(folder / "processed"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.01,
    }


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with Connection(broker.URL, transport_options=options(tmp_path)) as made:
        yield made


def take(queue: Any) -> Any:
    message = queue.get(block=False)
    message.ack()
    return message.payload


def test_messages_come_in_the_order_they_were_sent(connection: Connection) -> None:
    queue = connection.SimpleQueue("work")
    for number in range(20):
        queue.put({"number": number})
    assert [take(queue)["number"] for _ in range(20)] == list(range(20))
    with pytest.raises(queue.Empty):
        queue.get(block=False)


def test_nothing_is_left_of_a_message_that_was_taken(connection: Connection, tmp_path: Path) -> None:
    queue = connection.SimpleQueue("work")
    queue.put({"number": 1})
    take(queue)
    assert os.listdir(tmp_path / "queue") == []
    assert not (tmp_path / "processed").exists()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"body": "eyJhIj', id="torn"),
        pytest.param(b"[]", id="not an object"),
        pytest.param(b'{"body": "x"}', id="without properties"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
        pytest.param(b"[" * 5000, id="nested"),
        pytest.param(
            b'{"body":"abcde","properties":{"delivery_tag":"1","body_encoding":"base64"}}', id="body is no base64"
        ),
    ],
)
def test_a_file_that_is_no_message_is_set_aside(connection: Connection, tmp_path: Path, content: bytes) -> None:
    queue = connection.SimpleQueue("work")
    (tmp_path / "queue").mkdir(exist_ok=True)
    name = "00000000000000000001_torn.work.msg"
    (tmp_path / "queue" / name).write_bytes(content)
    queue.put({"number": 1})
    assert take(queue) == {"number": 1}
    assert os.listdir(tmp_path / "queue") == []
    assert (tmp_path / "processed" / f"unreadable-{name}").read_bytes() == content


def test_only_the_last_unreadable_files_are_kept(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "KEPT_UNREADABLE", 3)
    queue = connection.SimpleQueue("work")
    (tmp_path / "queue").mkdir(exist_ok=True)
    for number in range(5):
        (tmp_path / "queue" / f"{number:020d}_torn.work.msg").write_bytes(b"{")
    with pytest.raises(queue.Empty):
        queue.get(block=False)
    kept = sorted(os.listdir(tmp_path / "processed"))
    assert kept == [f"unreadable-{number:020d}_torn.work.msg" for number in (2, 3, 4)]


def test_a_message_under_its_hidden_name_is_not_seen(connection: Connection, tmp_path: Path) -> None:
    queue = connection.SimpleQueue("work")
    queue.put({"number": 1})
    (name,) = os.listdir(tmp_path / "queue")
    os.rename(tmp_path / "queue" / name, tmp_path / "queue" / f".new-{name}")
    with pytest.raises(queue.Empty):
        queue.get(block=False)


def test_size_and_purge_count_one_queue_only(connection: Connection) -> None:
    work, other = connection.SimpleQueue("work"), connection.SimpleQueue("other.work")
    for number in range(3):
        work.put({"number": number})
    other.put({"number": 9})
    assert (work.qsize(), other.qsize()) == (3, 1)
    assert work.clear() == 3
    assert (work.qsize(), other.qsize()) == (0, 1)


def test_a_backlog_is_listed_a_part_at_a_time(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "LISTED_AT_ONCE", 4)
    queue = connection.SimpleQueue("work")
    for number in range(10):
        queue.put({"number": number})
    assert [take(queue)["number"] for _ in range(10)] == list(range(10))


def test_a_purged_queue_gives_nothing_that_was_listed_before(connection: Connection) -> None:
    queue = connection.SimpleQueue("work")
    for number in range(3):
        queue.put({"number": number})
    take(queue)
    queue.clear()
    with pytest.raises(queue.Empty):
        queue.get(block=False)


def test_a_fanout_reaches_every_queue_that_is_bound(tmp_path: Path) -> None:
    exchange = Exchange("shout", type="fanout")
    heard: dict[str, list[Any]] = {"one": [], "two": []}
    with Connection(broker.URL, transport_options=options(tmp_path)) as listening:
        consumers = [
            Consumer(
                listening.channel(),
                Queue(name, exchange),
                callbacks=[lambda body, message, name=name: (heard[name].append(body), message.ack())],
            )
            for name in heard
        ]
        for consumer in consumers:
            consumer.consume()
        with Connection(broker.URL, transport_options=options(tmp_path)) as speaking:
            speaking.Producer().publish({"say": "hello"}, exchange=exchange)
        for _ in heard:
            listening.drain_events(timeout=5)
    assert heard == {"one": [{"say": "hello"}], "two": [{"say": "hello"}]}


def test_a_torn_binding_is_passed_over_and_made_again(tmp_path: Path) -> None:
    with Connection(broker.URL, transport_options=options(tmp_path)) as connection:
        channel = connection.channel()
        channel.exchange_declare("call", type="fanout")
        channel.queue_declare("one")
        channel.queue_bind("one", "call")
        (binding,) = (tmp_path / "control" / "call").iterdir()
        binding.write_bytes(b'["", "", "o')
        channel.state.exchanges["call"]["table"].clear()
        assert channel.get_table("call") == []
        binding.unlink()
        channel._next_care.clear()
        assert channel.basic_get("one") is None  # A consumer looks after its bindings while it asks.
        assert [row.queue for row in channel.get_table("call")] == ["one"]


def test_losing_the_whole_folder_loses_only_what_was_in_it(connection: Connection, tmp_path: Path) -> None:
    queue = connection.SimpleQueue("work")
    queue.put({"number": 1})
    for path in sorted(tmp_path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(queue.Empty):
        queue.get(block=False)
    queue.put({"number": 2})
    assert take(queue) == {"number": 2}


def test_what_killed_processes_left_is_removed_and_the_rest_is_not(connection: Connection, tmp_path: Path) -> None:
    queue = connection.SimpleQueue("work")
    folder = tmp_path / "queue"
    folder.mkdir(exist_ok=True)
    old = time.time() - broker.LEFT_BEHIND_AFTER_S - 1
    for name in (".taken-1_x.other.msg", ".new-2", "3_x.gone.reply.celery.pidbox.msg", "4_x.other.msg"):
        (folder / name).write_bytes(b"{}")
        os.utime(folder / name, (old, old))
    for name in (".taken-5_x.other.msg", "6_x.busy.celery.pidbox.msg"):
        (folder / name).write_bytes(b"{}")
    queue.consumer.channel._next_care.clear()
    with pytest.raises(queue.Empty):
        queue.get(block=False)
    assert sorted(os.listdir(folder)) == [".taken-5_x.other.msg", "4_x.other.msg", "6_x.busy.celery.pidbox.msg"]


def test_a_queue_name_never_becomes_a_path(connection: Connection) -> None:
    with pytest.raises(connection.connection_errors + connection.channel_errors, match="queue name"):
        connection.default_channel._put("../../escape", {})


def _consume(folder: str, results: str) -> None:
    taken = []
    with (
        Connection(broker.URL, transport_options=options(Path(folder))) as connection,
        connection.Consumer(
            Queue("work"), callbacks=[lambda body, message: (taken.append(body["number"]), message.ack())]
        ),
    ):
        try:
            while True:
                connection.drain_events(timeout=1)
        except TimeoutError:
            Path(results).write_text(json.dumps(taken))


def test_three_consumers_take_each_message_exactly_once(connection: Connection, tmp_path: Path) -> None:
    queue = connection.SimpleQueue("work")
    for number in range(600):
        queue.put({"number": number})
    (tmp_path / "queue" / "00000000000000000001_torn.work.msg").write_bytes(b"{")
    spawn = multiprocessing.get_context("spawn")
    results = [tmp_path / f"taken-{number}.json" for number in range(3)]
    consumers = [spawn.Process(target=_consume, args=(str(tmp_path), str(result))) for result in results]
    for consumer in consumers:
        consumer.start()
    for consumer in consumers:
        consumer.join(60)
    taken = [json.loads(result.read_text()) for result in results]
    assert sorted(number for part in taken for number in part) == list(range(600))
    assert [consumer.exitcode for consumer in consumers] == [0, 0, 0]
