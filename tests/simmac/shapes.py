"""Descriptions of simulated clusters that people build. A machine is a dictionary of the description file."""


def _free_port(machines, cables, node):
    taken = {end for cable in cables for end in (cable if isinstance(cable, str) else cable["ends"]).split()}
    for interface in machines[node]:
        if f"n{node + 1}:{interface}" not in taken:
            return f"n{node + 1}:{interface}"
    raise ValueError(f"n{node + 1} has no free port")


def cabled(count, pairs, **more):
    """`count` Mac Studios; each pair of numbers from 0 gets a cable between the first free port of both."""
    ports = [[f"en{i}" for i in range(2, 8)] for _ in range(count)]
    cables = []
    for a, b in pairs:
        cables.append(f"{_free_port(ports, cables, a)} {_free_port(ports, cables, b)}")
    return {"machines": [{} for _ in range(count)], "cables": cables, **more}


def mesh(count, **more):
    return cabled(count, [(a, b) for a in range(count) for b in range(a + 1, count)], **more)


def ring(count, width=1, **more):
    return cabled(count, [(a, (a + 1) % count) for a in range(count) for _ in range(width)], **more)


def chain(count, **more):
    return cabled(count, [(a, a + 1) for a in range(count - 1)], **more)


def star(count, **more):
    return cabled(count, [(0, a) for a in range(1, count)], **more)


def pair(width=2, **more):
    return cabled(2, [(0, 1)] * width, **more)
