"""Archives of images that no tool would write, and some that tools write that aren't at hand: for load_test.sh."""
import gzip
import hashlib
import io
import json
import os
import platform
import sys
import tarfile

HOST = {'x86_64': 'amd64', 'aarch64': 'arm64', 'i686': '386'}.get(platform.machine(), platform.machine())
MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
INDEX = 'application/vnd.oci.image.index.v1+json'
LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'


def sha(data):
    return hashlib.sha256(data).hexdigest()


def layer(**files):
    """A layer's tar, of files by name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.USTAR_FORMAT) as t:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            t.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def config(layers, arch=HOST, diff_ids=None, **what):
    """An image's config; WHAT is its `config`."""
    ids = ['sha256:' + sha(x) for x in layers] if diff_ids is None else diff_ids
    return json.dumps({'architecture': arch, 'os': 'linux', 'config': what, 'rootfs': {'type': 'layers', 'diff_ids': ids}}).encode()


def write(members):
    """A tar of [(name, bytes or 'where a symlink leads')]."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode='w', format=tarfile.USTAR_FORMAT) as t:
        for name, data in members:
            info = tarfile.TarInfo(name)
            if isinstance(data, str):
                info.type, info.linkname = tarfile.SYMTYPE, data
                t.addfile(info)
            else:
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))
    sys.stdout.buffer.write(made.getvalue())


def old(*images):
    """docker before 25: <id>/layer.tar. Images are (layers, tags, config)."""
    members, manifest = [], []
    for layers, tags, conf in images:
        names = []
        for n, data in enumerate(layers):
            name = '%s/layer.tar' % sha(b'v1 %d' % n + data)
            names.append(name)
            members.append((name, data))
        members.append((sha(conf) + '.json', conf))
        manifest.append({'Config': sha(conf) + '.json', 'RepoTags': tags, 'Layers': names})
    return members + [('manifest.json', json.dumps(manifest).encode())]


def blob(data):
    return ('blobs/sha256/' + sha(data), data)


def descriptor(data, kind=MANIFEST, **more):
    return dict({'mediaType': kind, 'digest': 'sha256:' + sha(data), 'size': len(data)}, **more)


def named(name, key='org.opencontainers.image.ref.name'):
    return {'annotations': {key: name}}


def made_for(arch, variant=None, os='linux'):
    return {'platform': dict({'os': os, 'architecture': arch}, **({'variant': variant} if variant else {}))}


def manifest(conf, blobs):
    return json.dumps({'schemaVersion': 2, 'config': descriptor(conf), 'layers': [descriptor(b, LAYER) for b in blobs]}).encode()


def index(*descriptors):
    return json.dumps({'schemaVersion': 2, 'manifests': list(descriptors)}).encode()


def layout(top, *blobs):
    """An OCI layout's members, in no helpful order."""
    return [blob(b) for b in blobs] + [('index.json', top), ('oci-layout', b'{"imageLayoutVersion":"1.0.0"}')]


def unpack(members, where):
    for name, data in members:
        path = os.path.join(where, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(data, str):
            os.symlink(data, path)
        else:
            with open(path, 'wb') as f:
                f.write(data)


def pack(data):
    return gzip.compress(data, mtime=0)
