"""What abuse from the network costs the receiver: every check of ``tests/network/abuse.py``, group by group.

    python -m bench.network_abuse

A receiver in a process of its own, on loopback. After each group another peer verifies with dcmtk's echoscu; descriptors
and memory are what the process holds above what it had when it was new.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.network.receiver_process import abuse, groups, victim


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, victim(Path(folder)) as receiver:
        print("| group | checks | failed | seconds | C-ECHO after | descriptors | memory |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        failed = []
        for group, members in groups().items():
            found = abuse(receiver, group, members)
            failed += found.failed
            print(
                f"| {group} | {found.count} | {len(found.failed)} | {found.seconds:.1f} | {1000 * found.echo_s:.0f} ms "
                f"| {found.descriptors_more:+d} | {found.memory_more / 2**20:+.0f} MiB |"
            )
        print(*failed, sep="\n")


if __name__ == "__main__":
    main()
