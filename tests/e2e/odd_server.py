"""A TCP server that is no sshd: `odd_server.py MODE PORT`; prints "ready" once it listens."""

import socket
import sys
import threading


def silent(connection):
    connection.recv(1 << 20)  # the client's banner; then nothing, until it gives up
    connection.recv(1 << 20)


def http(connection):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def garbage(connection):
    connection.sendall(bytes(range(256)) * 256)
    connection.recv(4096)


def endless(connection):
    try:
        while True:
            connection.sendall(b"x" * 65536)
    except OSError:
        pass


def close(_connection):
    pass


def banner_then_close(connection):
    connection.sendall(b"SSH-2.0-odd\r\n")


def banner_then_silent(connection):
    connection.sendall(b"SSH-2.0-odd\r\n")
    while connection.recv(1 << 20):
        pass


def serve(connection, mode):
    with connection:
        try:
            globals()[mode](connection)
        except OSError:
            pass


listener = socket.create_server(("0.0.0.0", int(sys.argv[2])), backlog=128)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0], sys.argv[1]), daemon=True).start()
