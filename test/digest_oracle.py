# digest_oracle.py FILE CASES ANSWERS: random bytes, parts of them (digest_tool.c), and what hashlib and zlib say of those.
import hashlib, random, sys, zlib

file, cases, answers = sys.argv[1:]
data = random.randbytes(1 << 20)
parts = [(n % 17, n, n or 1) for n in range(400)]
for most in 300, 5000, 300000:
    for _ in range(150):
        n = random.randrange(most)
        parts.append((random.randrange(len(data) - n), n, random.choice((1, 63, 64, 65, 255, 256, 257, 1000, 65536, 1 << 20))))
parts = [(at, n, max(step, n // 500)) for at, n, step in parts]
open(file, "wb").write(data)
with open(cases, "w") as c, open(answers, "w") as a:
    for at, n, step in parts:
        part = data[at:at + n]
        print(at, n, step, file=c)
        print(hashlib.sha256(part).hexdigest(), "%08x" % zlib.crc32(part), file=a)
