"""The stranger's walk: the documentation, followed to the letter on a fresh Debian, and timed.

A root of Debian with Python and nothing else is made by debootstrap and entered by systemd-nspawn, where systemd is the
first process: units are started, stopped and confined as on a machine. Images are built and run by podman. This needs
root, Debian and an hour, so that it is no part of the tests: `make walk`.
"""
