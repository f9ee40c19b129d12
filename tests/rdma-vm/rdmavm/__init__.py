"""A virtual machine with RDMA devices in software: image, cables, machine, command line."""
