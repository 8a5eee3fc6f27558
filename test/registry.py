"""A registry of one OCI layout that misbehaves as it is told: `registry.py LAYOUT PORT-FILE LOG [KEY-AND-CERTIFICATE]`: by https with
the last.

It reads what to do from LAYOUT/do at each request: lines `WORD VALUE`
	cut N         each connection is closed after N bytes of a blob (or of a manifest: cut_manifest N)
	cut_first N   the same, but not who asks for the rest
	flip N        byte N of each blob is another one (flip_manifest N)
	longer N      Content-Length tells of N bytes more than there are, or of less where N is negative
	more N        N bytes more come than the manifest tells of, in chunks
	slow S        S seconds pass before each blob
	whole         it knows no ranges; chunked: it answers in chunks, without a length
	elsewhere URL blobs are redirected there; around: for ever to itself; nowhere: without saying where to
	token USER:PASSWORD, basic USER:PASSWORD: it lets in who has that; realm URL: where tokens are (itself)
	interim       it answers 100 for ever; sizeless: the manifest tells no sizes
	status N      it answers so; garbage: what isn't HTTP; headers N: so many; line N: one so long
	wrong_range   it answers with another part than it was asked for; first: with docker's first kind of manifest
	close         after each answer
	texts         what is done to blobs is done to configs too
	cut_upload N  the first N uploads are cut off in the middle; full: none is taken; no_mount: none from elsewhere; lost: none has a place to go to
What is sent to it gets into LAYOUT/blobs, manifests into LAYOUT/sent.
LOG gets a line each: METHOD PATH RANGE AUTHORIZATION, `-` where there is none.
"""

import base64
import hashlib
import http.server
import json
import os
import re
import ssl
import sys
import time

layout, port_file, log = sys.argv[1:4]
certificate = sys.argv[4] if len(sys.argv) > 4 else None


def deeds():
    try:
        with open(os.path.join(layout, "do"), encoding="ascii") as f:
            lines = [line.split(None, 1) for line in f if line.strip()]
    except FileNotFoundError:
        return {}
    return {words[0]: words[1].strip() if len(words) > 1 else "" for words in lines}


def blob(digest):
    try:
        with open(os.path.join(layout, "blobs", "sha256", digest), "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def plain(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def here(self):
        return "http%s://%s" % ("s" if certificate else "", self.headers["Host"])

    def let_in(self, do):
        said = self.headers.get("Authorization", "")
        if "basic" in do:
            if said == "Basic " + base64.b64encode(do["basic"].encode()).decode():
                return True
            self.plain(401, [("WWW-Authenticate", 'Basic realm="here"')])
            return False
        if "token" in do and said != "Bearer good-token":
            realm = do.get("realm", self.here() + "/token?a=b")
            challenge = 'Bearer realm="%s",service="the service, really",scope="repository:r:pull"' % realm
            self.plain(401, [("WWW-Authenticate", challenge)])
            return False
        return True

    def give_token(self, do):
        good = "service=the%20service%2C%20really&scope=repository:r:pull" in self.path
        said = self.headers.get("Authorization", "")
        if not good or (do["token"] and said != "Basic " + base64.b64encode(do["token"].encode()).decode()):
            self.plain(401)
        else:
            self.plain(200, body=b'{"token": "good-token"}')

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        do = deeds()
        with open(log, "a", encoding="ascii") as f:
            f.write("%s %s %s %s\n" % (self.command, self.path, self.headers.get("Range", "-"), self.headers.get("Authorization", "-").replace(" ", ":")))
        if "close" in do:
            self.close_connection = True
        if "garbage" in do:
            self.wfile.write(b"\0\1\2 what?\r\n\r\n")
            self.close_connection = True
        elif "interim" in do:
            while True:
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        elif "status" in do:
            self.plain(int(do["status"]), body=b'{"errors": [{"code": "X", "message": "it is \\u001b[31m so"}]}')
        elif "headers" in do:
            self.plain(200, [("X-%d" % i, "y") for i in range(int(do["headers"]))])
        elif "line" in do:
            self.plain(200, [("X", "y" * int(do["line"]))])
        elif self.path.startswith("/token"):
            self.give_token(do)
        elif self.let_in(do):
            parts = self.path.split("/")
            if "manifests" in parts:
                self.manifest(do, parts[-1])
            elif "blobs" in parts:
                self.blob(do, parts[-1].split(":")[-1])
            else:
                self.plain(404)

    def received(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        data = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            data += self.rfile.read(size)
            self.rfile.readline()
            if not size:
                return data

    def note(self):
        with open(log, "a", encoding="ascii") as f:
            f.write("%s %s\n" % (self.command, self.path.split("?")[0]))

    def do_POST(self):
        do = deeds()
        self.note()
        self.received()
        if not self.let_in(do):
            return
        if "no_mount" in do and "mount=" in self.path:
            self.plain(403)
        elif "full" in do:
            self.plain(413, body=b'{"errors": [{"code": "X", "message": "no more room"}]}')
        else:
            self.plain(202, [] if "lost" in do else [("Location", "/upload/1?state=a")])

    def do_PATCH(self):
        do = deeds()
        self.note()
        counter = os.path.join(layout, "cuts")
        cuts = int(open(counter, encoding="ascii").read()) if os.path.exists(counter) else 0
        if cuts < int(do.get("cut_upload", "0")):
            with open(counter, "w", encoding="ascii") as f:
                f.write(str(cuts + 1))
            self.rfile.read(1000)
            self.close_connection = True
            return
        data = self.received()
        if self.let_in(do):
            with open(os.path.join(layout, "upload"), "wb") as f:
                f.write(data)
            self.plain(202, [("Location", self.here() + "/upload/2?state=b")])

    def do_PUT(self):
        do = deeds()
        self.note()
        data = self.received()
        if not self.let_in(do):
            return
        if "/manifests/" in self.path:
            with open(os.path.join(layout, "sent"), "wb") as f:
                f.write(data)
        else:
            with open(os.path.join(layout, "upload"), "rb") as f:
                data = f.read()
            digest = hashlib.sha256(data).hexdigest()
            if "?state=b&digest=sha256:" + digest not in self.path:
                self.plain(400, body=b'{"errors": [{"code": "DIGEST_INVALID"}]}')
                return
            with open(os.path.join(layout, "blobs", "sha256", digest), "wb") as f:
                f.write(data)
        self.plain(201)

    def manifest(self, do, name):
        if name.startswith("sha256:"):
            body = blob(name[7:])
        else:
            with open(os.path.join(layout, "index.json"), "rb") as f:
                index = json.load(f)
            found = [m for m in index["manifests"] if m.get("annotations", {}).get("org.opencontainers.image.ref.name", "").split(":")[-1] == name]
            body = blob(found[0]["digest"][7:]) if found else None
        if "first" in do:
            body = b'{"schemaVersion": 1, "fsLayers": []}'
        if "sizeless" in do:
            body = re.sub(rb'"size": ?[0-9]+', b'"length":1', body)
        if body is None:
            self.plain(404, body=b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}')
            return
        digest = hashlib.sha256(body).hexdigest()
        if "flip_manifest" in do:
            body = self.flipped(body, int(do["flip_manifest"]))
        self.send_response(200)
        self.send_header("Docker-Content-Digest", "sha256:" + digest)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if "cut_manifest" in do:
            body = body[: int(do["cut_manifest"])]
            self.close_connection = True
        self.wfile.write(body)

    @staticmethod
    def flipped(body, at):
        return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :] if at < len(body) else body

    def blob(self, do, digest):
        body = blob(digest)
        if body is None:
            self.plain(404)
        elif body[:1] == b"{" and "texts" not in do:
            self.plain(200, body=body)
        elif "around" in do:
            self.plain(307, [("Location", self.path)])
        elif "nowhere" in do:
            self.plain(307)
        elif "elsewhere" in do:
            self.plain(307, [("Location", do["elsewhere"] + self.path)])
        else:
            time.sleep(float(do.get("slow", "0")))
            self.send_blob(do, body)

    def send_blob(self, do, body):
        if self.command == "HEAD":
            self.plain(200)
            return
        wanted = self.headers.get("Range")
        start = int(wanted[len("bytes=") :].split("-")[0]) if wanted and "whole" not in do else 0
        size = len(body)
        if "flip" in do:
            body = self.flipped(body, int(do["flip"]))
        body = body[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start + (1 if "wrong_range" in do else 0), size - 1, size))
        if "chunked" in do or "more" in do:
            body += b"\0" * int(do.get("more", "0"))
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body) + int(do.get("longer", "0"))))
        self.end_headers()
        cut = int(do.get("cut", len(body) if wanted else do.get("cut_first", len(body))))
        if cut < len(body):
            body = body[:cut]
            self.close_connection = True
        elif "longer" in do:
            self.close_connection = True
        self.send_body(do, body)

    def send_body(self, do, body):
        if "chunked" not in do and "more" not in do:
            self.wfile.write(body)
            return
        for at in range(0, len(body), 1000):
            part = body[at : at + 1000]
            self.wfile.write(b"%X;x=y\r\n%s\r\n" % (len(part), part))
        if not self.close_connection:
            self.wfile.write(b"0\r\nTrailer: x\r\n\r\n")


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a client that goes away is what is tested


server = Server(("127.0.0.1", 0), Handler)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
with open(port_file + ".new", "w", encoding="ascii") as f:
    f.write("%d\n" % server.server_address[1])
os.rename(port_file + ".new", port_file)
server.serve_forever()
