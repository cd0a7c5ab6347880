"""A system call filter that takes the network away from this process and all that it starts.

No socket can be made: no TCP, UDP, raw, netlink or vsock, and no AF_UNIX either, since whoever
listens at an abstract address may have a network. Connected pairs remain, for a process and its
children. Neither can io_uring be used, which makes sockets past such filters, and nobody can reach
into another process and take one from there. System calls of another architecture end the process.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from dataclasses import dataclass

from lambda_builder.kernel import control_process

_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_DROP_FROM_BOUNDING_SET, _LAST_CAPABILITY = 24, 63
# What installers that run as root do to files of their own.
_CHOWN, _DAC_OVERRIDE, _FOWNER = 0, 1, 3
_AF_UNIX = 1
# A datagram may be sent to any address, even by one of a pair, and may hold a socket.
_SOCK_STREAM, _SOCK_SEQPACKET, _SOCK_TYPE_MASK = 1, 5, 0xF
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
_ALLOW, _KILL, _DENY = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
# Numbers from here on are those of x32, a second table for the same architecture.
_X32 = 0x40000000


@dataclass(frozen=True, kw_only=True, slots=True)
class Architecture:
    """The numbers of system calls; they differ between architectures."""

    number: int
    socketpair: int
    denied: tuple[int, ...]
    """socket, ptrace, process_vm_readv and process_vm_writev; the rest is the same everywhere."""
    has_x32: bool = False


ARCHITECTURES = {
    "x86_64": Architecture(
        number=0xC000003E, socketpair=53, denied=(41, 101, 310, 311), has_x32=True
    ),
    "aarch64": Architecture(number=0xC00000B7, socketpair=199, denied=(198, 117, 270, 271)),
}
# io_uring_setup, io_uring_enter, io_uring_register, pidfd_getfd.
_DENIED = (425, 426, 427, 438)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def forbid_network() -> None:
    """Install the filter; `OSError` where that cannot be done. It cannot be removed."""
    architecture = ARCHITECTURES.get(platform.machine())
    if architecture is None or sys.byteorder != "little" or struct.calcsize("P") != 8:  # noqa: PLR2004 - 64 bits
        raise OSError(errno.ENOSYS, f"no filter is known for {platform.machine()}")
    _drop_capabilities()
    content = b"".join(instructions(architecture))
    buffer = ctypes.create_string_buffer(content, len(content))
    program = _Program(len(content) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    control_process(_NO_NEW_PRIVILEGES, 1)
    control_process(_SECCOMP, _FILTER, ctypes.cast(ctypes.byref(program), ctypes.c_void_p))


def _drop_capabilities() -> None:
    """Keep root from reaching into other processes; others have no capabilities to lose."""
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in {_CHOWN, _DAC_OVERRIDE, _FOWNER}:
            try:
                control_process(_DROP_FROM_BOUNDING_SET, capability)
            except OSError:
                # The kernel does not know it, or this process may not change the set.
                continue


def instructions(architecture: Architecture) -> list[bytes]:
    """The filter as a program for the kernel's packet filter."""
    program = [
        _statement(_LOAD, _ARCHITECTURE),
        _jump(_EQUAL, architecture.number, if_not=0, if_so=1),
        _statement(_RETURN, _KILL),
        _statement(_LOAD, _NUMBER),
    ]
    if architecture.has_x32:
        program += [_jump(_AT_LEAST, _X32, if_not=1), _statement(_RETURN, _DENY)]
    for number in (*architecture.denied, *_DENIED):
        program += [_jump(_EQUAL, number, if_not=1), _statement(_RETURN, _DENY)]
    return [
        *program,
        _jump(_EQUAL, architecture.socketpair, if_not=7),
        _statement(_LOAD, _FIRST_ARGUMENT),
        _jump(_EQUAL, _AF_UNIX, if_not=4),
        _statement(_LOAD, _SECOND_ARGUMENT),
        _statement(_AND, _SOCK_TYPE_MASK),
        _jump(_EQUAL, _SOCK_STREAM, if_so=2, if_not=0),
        _jump(_EQUAL, _SOCK_SEQPACKET, if_so=1, if_not=0),
        _statement(_RETURN, _DENY),
        _statement(_RETURN, _ALLOW),
    ]


def _statement(code: int, value: int) -> bytes:
    return struct.pack("<HBBI", code, 0, 0, value)


def _jump(code: int, value: int, *, if_not: int, if_so: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_so, if_not, value)
