"""Where a page is served, where a browser finds it, and what is said of an address that cannot be had."""

import contextlib
import errno
import socket

import pytest

from cli.main import main, make_parser
from core.errors import InputError
from dashboard import server
from dashboard.server import UNSENT_BYTES, Address, listen


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8017/"),
        ("localhost", "http://localhost:8017/"),
        ("::1", "http://[::1]:8017/"),
        ("192.0.2.7", "http://192.0.2.7:8017/"),
        ("0.0.0.0", "http://rig1:8017/"),
        ("::", "http://rig1:8017/"),
    ],
)
def test_where_a_browser_finds_it(monkeypatch, host, url):
    monkeypatch.setattr(server.socket, "gethostname", lambda: "rig1")
    address = Address(host)
    assert address.url(8017) == url
    assert address.here == (host in ("127.0.0.1", "localhost", "::1"))


def test_a_free_port_is_found_and_one_that_is_taken_told():
    with listen(Address(port=0)) as one:
        port = one.getsockname()[1]
        with pytest.raises(InputError, match=rf"^127\.0\.0\.1:{port}: .*in use\); give another --port, or --port 0"):
            listen(Address(port=port))


def test_the_system_keeps_no_old_updates_for_who_reads_slowly():
    with listen(Address(port=0)) as listening, socket.create_connection(listening.getsockname()[:2]):
        connection, _ = listening.accept()
        with connection:
            connection.setblocking(False)
            sent = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    sent += connection.send(bytes(4096))
    # What is on its way comes on top: as much as the other end has room for, which here is 64 KiB at first.
    assert sent <= 4 * UNSENT_BYTES


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.EADDRNOTAVAIL, "give an address of this computer with --host"),
        (errno.EACCES, "give a --port above 1023"),
        (errno.EADDRINUSE, "give another --port"),
    ],
)
def test_each_refusal_has_its_cure(monkeypatch, number, cure):
    class Refusing(socket.socket):
        def bind(self, where):
            raise OSError(number, "no")

    monkeypatch.setattr(server.socket, "socket", Refusing)
    with pytest.raises(InputError, match=rf"^127\.0\.0\.1:80: the page cannot be served there \(no\); {cure}"):
        listen(Address(port=80))


def test_a_host_that_is_none_is_told(monkeypatch):
    def unknown(*args, **more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(server.socket, "getaddrinfo", unknown)
    with pytest.raises(InputError, match=r"^--host rig9: is no address of this computer \(Name or service not known\)"):
        listen(Address("rig9"))


@pytest.mark.parametrize("port", ["0", "1", "8017", "65535"])
def test_ports(port):
    assert make_parser().parse_args(["serve", f"--port={port}"]).port == int(port)
    assert make_parser().parse_args(["run", "--mouse=M", f"--page={port}"]).page == int(port)


@pytest.mark.parametrize("port", ["65536", "-1", "1e3", "", "http", "80.0", "\u0663", "9" * 5000])
@pytest.mark.parametrize("words", [("serve", "--port="), ("run", "--mouse=M", "--page=")], ids=["serve", "run"])
def test_what_is_no_port_is_told(capsys, words, port):
    with pytest.raises(SystemExit) as end:
        main([*words[:-1], words[-1] + port])
    assert end.value.code == 2
    assert "is no port; give a whole number from 0 to 65535" in capsys.readouterr().err


def test_without_a_port_it_is_the_same_for_both():
    serve, run = make_parser().parse_args(["serve"]), make_parser().parse_args(["run", "--mouse=M", "--page"])
    assert serve.port == run.page == 8017
    assert make_parser().parse_args(["run", "--mouse=M"]).page is None
