"""Looks for a way out: TCP to the platform and the world, UDP, names, and sockets of the machine itself."""

import socket

from bare import Panel, tried


def connect(family, kind, address):
    with socket.socket(family, kind) as s:
        s.settimeout(0.3)
        s.connect(address)
        s.send(b"hei")
        return address


class Caller(Panel):
    def attack(self, port, abstract):
        i, u = socket.AF_INET, socket.AF_UNIX
        ways = {
            "platform": (i, socket.SOCK_STREAM, ("127.0.0.1", port)),
            "platform by v6": (socket.AF_INET6, socket.SOCK_STREAM, ("::1", port)),
            "world": (i, socket.SOCK_STREAM, ("192.0.2.1", 443)),
            "udp": (i, socket.SOCK_DGRAM, ("192.0.2.1", 53)),
            "abstract": (u, socket.SOCK_STREAM, "\0" + abstract),
            "dbus": (u, socket.SOCK_STREAM, "/run/dbus/system_bus_socket"),
            "display": (u, socket.SOCK_STREAM, "\0/tmp/.X11-unix/X0"),
        }
        found = {name: tried(connect, *way) for name, way in ways.items()}
        return found | {"names": tried(socket.gethostbyname, "example.org")}


Caller().run()
