#!/usr/bin/env python3
"""Judges seccomp programs of ours, by running them here for many numbers and arguments.

  seccomp_oracle.py libseccomp FILE HEX [CAP..]  does HEX, which ctrbox made of the profile FILE, what libseccomp's program does?
  seccomp_oracle.py meaning FILE HEX             does it what FILE says? (libseccomp 2.5.4 doesn't always: several orderings of one argument)
  seccomp_oracle.py default FILE HEADER [CAP..]  prints "NAME OURS THEIRS" wherever the default profile (seccomp_default.h) says something else
  seccomp_oracle.py random SEED                  prints a random profile

Differences are printed; then the exit code is 1, but for "default".
"""
import ctypes
import json
import platform
import random
import re
import struct
import sys
import tempfile

lib = ctypes.CDLL("libseccomp.so.2")
lib.seccomp_init.restype = ctypes.c_void_p
lib.seccomp_syscall_resolve_num_arch.restype = ctypes.c_char_p


class Cmp(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


ACTIONS = {"ALLOW": 0x7FFF0000, "ERRNO": 0x00050000, "KILL": 0, "KILL_THREAD": 0, "KILL_PROCESS": 0x80000000,
           "TRAP": 0x00030000, "LOG": 0x7FFC0000, "TRACE": 0x7FF00000}
OPS = {"NE": 1, "LT": 2, "LE": 3, "EQ": 4, "GE": 5, "GT": 6, "MASKED_EQ": 7}
ARCH, GO = {"x86_64": (0xC000003E, "amd64"), "aarch64": (0xC00000B7, "arm64")}[platform.machine()]


def action(name, errno):
    name = name.removeprefix("SCMP_ACT_")
    return ACTIONS[name] | ((1 if errno is None else errno) if name in ("ERRNO", "TRACE") else 0)


def applies(row, caps):
    inc, exc = row.get("includes") or {}, row.get("excludes") or {}
    return (all(c in caps for c in inc.get("caps") or []) and (not inc.get("arches") or GO in inc["arches"])
            and not any(c in caps for c in exc.get("caps") or []) and GO not in (exc.get("arches") or []))


def conditions(row):
    """As runc reads them: each on its own if two look at the same argument."""
    args = row.get("args") or []
    cmps = [Cmp(a["index"], OPS[a["op"].removeprefix("SCMP_CMP_")], a["value"], a.get("valueTwo", 0)) for a in args]
    indexes = [a["index"] for a in args]
    return [[c] for c in cmps] if len(set(indexes)) != len(indexes) else [cmps]


def theirs(profile, caps):
    """The program that libseccomp makes of a profile."""
    default = action(profile["defaultAction"], profile.get("defaultErrnoRet"))
    ctx = ctypes.c_void_p(lib.seccomp_init(ctypes.c_uint32(default)))
    for row in profile.get("syscalls") or []:
        act = action(row["action"], row.get("errnoRet"))
        if act == default or not applies(row, caps):
            continue
        for name in row.get("names") or [row["name"]]:
            nr = lib.seccomp_syscall_resolve_name(name.encode())
            for cmps in conditions(row) if nr >= 0 else []:
                r = lib.seccomp_rule_add_array(ctx, ctypes.c_uint32(act), nr, len(cmps), (Cmp * len(cmps))(*cmps))
                if r not in (0, -17):
                    sys.exit(f"libseccomp: {name}: {r}")
    with tempfile.TemporaryFile() as f:
        lib.seccomp_export_bpf(ctx, f.fileno())
        f.seek(0)
        return [struct.unpack("=HBBI", i) for i in iter(lambda: f.read(8), b"")]


def from_hex(text):
    return [tuple(int(text[i + a:i + b], 16) for a, b in ((0, 4), (4, 6), (6, 8), (8, 16))) for i in range(0, len(text), 16)]


def from_header(path, held):
    text = open(path, encoding="ascii").read()
    code, guards = text.split("struct seccomp_guard")
    code = [[int(x, 0) for x in m] for m in re.findall(r"\{ (\w+), (\w+), (\w+), (\w+) \}", code)]
    for at, cap in re.findall(r"\{ (\d+), (\d+) \}", guards):
        if int(cap) in held:
            code[int(at)][3] = 0
    return code


def run(code, nr, args, arch=ARCH):
    data = struct.pack("<iIQ6Q", nr if nr < 1 << 31 else nr - (1 << 32), arch, 0, *args)
    acc, pc = 0, 0
    while True:
        op, jt, jf, k = code[pc]
        pc += 1
        if op == 0x20:
            acc = struct.unpack_from("<I", data, k)[0]
        elif op == 0x54:
            acc &= k
        elif op == 0x06:
            return k
        elif op == 0x05:
            pc += k
        else:
            pc += jt if {0x15: acc == k, 0x25: acc > k, 0x35: acc >= k, 0x45: acc & k}[op] else jf


def samples(values):
    """Vectors of arguments: each of the values that rules name, and what is near or looks like them, at every place."""
    near = set()
    for v in values:
        for w in (v - 1, v, v + 1, v | 1 << 32, v ^ 1 << 63, v & 0xFFFFFFFF, v << 32):
            near.add(w & (1 << 64) - 1)
    rng = random.Random(1)
    near = sorted(near)
    yield [0] * 6
    for v in near:
        for i in range(6):
            yield [v if j == i else 0 for j in range(6)]
        yield [rng.choice(near) for _ in range(6)]
        yield [v] * 6


def word(act):
    return {0x7FFF0000: "passed", 0x00050001: "EPERM", 0x00050026: "ENOSYS"}.get(act, hex(act))


def name_of(nr):
    name = lib.seccomp_syscall_resolve_num_arch(0, nr)
    return name.decode() if name else str(nr)


def holds(arg, value):
    op, v = arg["op"].removeprefix("SCMP_CMP_"), arg["value"]
    return {"NE": value != v, "LT": value < v, "LE": value <= v, "EQ": value == v, "GE": value >= v, "GT": value > v,
            "MASKED_EQ": value & v == arg["valueTwo"]}[op]


def meaning(rows, default, args):
    """What a profile says of a call that ROWS are about: rows without conditions come first."""
    for row in sorted(rows, key=lambda r: bool(r["args"])):
        indexes = [a["index"] for a in row["args"]]
        true = [holds(a, args[a["index"]]) for a in row["args"]]
        if any(true) if len(set(indexes)) != len(indexes) else all(true):
            return action(row["action"], row.get("errnoRet"))
    return default


def compare_profile(path, text, caps, by_libseccomp):
    profile = json.load(open(path, encoding="utf-8"))
    default = action(profile["defaultAction"], profile.get("defaultErrnoRet"))
    about = {}
    for row in profile["syscalls"]:
        for name in row.get("names") or [row["name"]]:
            about.setdefault(lib.seccomp_syscall_resolve_name(name.encode()), []).append(row)
    values = {v for r in profile["syscalls"] for a in r.get("args") or [] for v in (a["value"], a.get("valueTwo", 0))}
    ours, ref, bad = from_hex(text), theirs(profile, caps) if by_libseccomp else None, 0
    for nr in list(range(1100)) + [0x0F0002, 0x3FFFFFFF]:
        rows = about.get(nr, [])
        for args in samples(values) if any(r.get("args") for r in rows) else [[0] * 6, [(1 << 64) - 1] * 6]:
            a, b = run(ours, nr, args), run(ref, nr, args) if ref else meaning(rows, default, args)
            if a != b:
                print(name_of(nr), [hex(x) for x in args], "ours", word(a), "theirs", word(b))
                bad = 1
    for nr, arch in ((39, 0x40000003), (0x40000027, ARCH), (0xFFFFFFFF, ARCH)):
        if word(run(ours, nr, [0] * 6, arch)) not in ("0x80000000", "ENOSYS"):
            print(nr, hex(arch), "isn't barred")
            bad = 1
    return bad


def compare_default(path, header, caps, held):
    profile = json.load(open(path, encoding="utf-8"))
    ours, ref = from_header(header, held), theirs(profile, caps)
    for nr in range(600):
        a, b = run(ours, nr, [0] * 6), run(ref, nr, [0] * 6)
        if a != b:
            print(name_of(nr), word(a), word(b))
    return 0


def random_profile(seed):
    rng = random.Random(seed)
    names = ["read", "write", "open", "socket", "ioctl", "clone", "mount", "personality", "kcmp", "fcntl", "mmap", "futex"]
    names += [n.decode() for n in (lib.seccomp_syscall_resolve_num_arch(0, i) for i in rng.sample(range(330), rng.randrange(2, 200))) if n]
    acts = ["ALLOW", "ERRNO", "KILL_PROCESS", "KILL", "TRAP", "LOG", "TRACE"]
    rows, free = [], sorted(set(names))
    rng.shuffle(free)
    while free:
        some, free = free[:rng.randrange(1, 20)], free[20:]
        act = rng.choice(acts)
        for _ in range(rng.randrange(1, 4)):
            row = {"names": some, "action": "SCMP_ACT_" + act, "args": []}
            if act in ("ERRNO", "TRACE"):
                row["errnoRet"] = len(rows) + 2
            used = rng.sample(range(6), rng.randrange(0, 4)) if rng.random() < 0.8 else [rng.randrange(6)] * 2
            for i in used:
                op = rng.choice(list(OPS))
                value = rng.choice([0, 1, 5, 0xFFFFFFFF, 1 << 32, (1 << 64) - 1, rng.getrandbits(64), rng.getrandbits(20)])
                row["args"].append({"index": i, "op": "SCMP_CMP_" + op, "value": value, "valueTwo": value & rng.getrandbits(64)})
            rows.append(row)
            if act in ("ERRNO", "TRACE"):
                break
    rng.shuffle(rows)
    return {"defaultAction": "SCMP_ACT_" + rng.choice(["ERRNO", "ALLOW", "TRAP"]), "syscalls": rows}


CAPS = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN "
        "NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
        "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP").split()

def main(how, args):
    if how == "random":
        print(json.dumps(random_profile(int(args[0]))))
        return 0
    if how == "default":
        return compare_default(args[0], args[1], {"CAP_" + c for c in args[2:]}, {CAPS.index(c) for c in args[2:]})
    return compare_profile(args[0], args[1], {"CAP_" + c for c in args[2:]}, how == "libseccomp")


sys.exit(main(sys.argv[1], sys.argv[2:]))
