"""Three hosts out of network namespaces of this machine, joined by a bridge; all see this machine's files."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

#: The first three numbers of the hosts' addresses; the bridge is .1 and hosts are .11, .12, .13.
NETWORK = "10.231.77"


def ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True)


def why_not() -> str:
    """Why namespaces cannot be made here, empty if they can."""
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("ip") is None:
        return "needs iproute2"
    probe = f"curate-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True)
    if made.returncode:
        return f"network namespaces cannot be made: {made.stderr.strip()}"
    ip("netns", "del", probe)
    return ""


class Host:
    def __init__(self, number: int) -> None:
        self.address = f"{NETWORK}.{10 + number}"
        self.name = f"curate{number}"
        self._outside = f"curate-o{number}"

    @property
    def enter(self) -> tuple[str, ...]:
        """What a command that runs on the host begins with."""
        return ("ip", "netns", "exec", self.name)

    def plug_in(self, bridge: str) -> None:
        inside = f"curate-i{self.name[-1]}"
        ip("netns", "add", self.name)
        ip("link", "add", self._outside, "type", "veth", "peer", "name", inside, "netns", self.name)
        ip("link", "set", self._outside, "master", bridge, "up")
        ip("-n", self.name, "addr", "add", f"{self.address}/24", "dev", inside)
        ip("-n", self.name, "link", "set", inside, "up")
        ip("-n", self.name, "link", "set", "lo", "up")

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        ip("link", "set", self._outside, "down")
        try:
            yield
        finally:
            ip("link", "set", self._outside, "up")

    def remove(self) -> None:
        ip("netns", "del", self.name, check=False)
        ip("link", "del", self._outside, check=False)


@contextmanager
def three_hosts() -> Iterator[list[Host]]:
    bridge = "curate-br"
    hosts = [Host(number) for number in (1, 2, 3)]
    try:
        ip("link", "add", bridge, "type", "bridge")
        ip("addr", "add", f"{NETWORK}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for host in hosts:
            host.plug_in(bridge)
        yield hosts
    finally:
        for host in hosts:
            host.remove()
        ip("link", "del", bridge, check=False)
