"""The virtual cluster: several machines played by the namespaces of one.

plan      what a cluster looks like, as data (pure)
state     what is known of a running cluster: DIR/state.json and /proc
kernel    the system calls that Python lacks
supervise pid 1 of a cluster: builds it and ends it
node      pid 1 of a node: its files, its network, its sshd
enter     running something inside a node
network   links between nodes
faults    breaking and healing
cli       the command line
"""
