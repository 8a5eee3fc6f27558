/* Images and layers in the store ($CTRBOX_ROOT).
 *
 *   layers/<diff_id hex>/tree/          the extracted layer in overlay's form (whiteouts char 0:0, trusted.overlay.opaque)
 *   layers/<diff_id hex>/size           bytes of file content in it
 *   layers/<diff_id hex>/packed         "HEX LENGTH gzip|zstd": as what blob it came, if it came packed and its digest was known
 *   layers/<diff_id hex>/tar.idx        what its tar was besides (tar_index.h); replaced/: files that a later entry took the place of
 *   images/<config sha256 hex>/config.json   the OCI image configuration, as it is hashed
 *   images/names/<NAME with / as %>     symlink to ../<hex>
 *
 * Everything appears atomically: made as a sibling whose name starts with ".tmp-", synced, renamed. Who makes, or needs a
 * layer that no image names yet, holds a flock on its directory: what is not locked and not referred to is garbage. Formats:
 * OCI image-spec, config.md and layer.md. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "image/tar.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One line of an image's history. */
struct image_step {
	char *created_by, *comment;
	int64_t created;             /* epoch seconds; 0: not said */
	bool empty;                  /* it made no layer */
};

/* What a config says, as ctr-run needs it. */
struct image {
	char id[65];                 /* sha256 of config.json, hex */
	char *name;                  /* the name it was found by, or NULL */
	struct strs layers;          /* diff_ids in hex, lowest first */
	struct strs entrypoint, cmd, env, volumes /* paths */, exposed /* "80/tcp" */, labels /* K=V */, healthcheck_test;
	struct strs shell /* of RUN's and CMD's shell form; none: /bin/sh -c */, onbuild /* instructions for who builds on it */;
	char *user, *workdir, *stop_signal, *architecture, *os, *author;
	int64_t created;             /* epoch seconds; 0: not said */
	int64_t health_interval_ms, health_timeout_ms, health_start_ms, health_start_interval_ms, health_retries; /* 0: not said */
	struct image_step *history;  /* oldest first */
	size_t nhistory;
};
void image_free(struct image *img);

/* A config from and to its JSON. 0 or -EINVAL, told. */
int image_config_read(const char *text, size_t len, struct image *out, struct err *err);
void image_config_write(const struct image *img, struct buf *out);

/* The host's architecture in OCI's words: amd64, arm64, arm, riscv64, 386, else uname(2)'s. OUT holds 66 bytes. */
const char *image_host_architecture(char out[66]);

/* How well an image fits the PLATFORM ("os/arch[/variant]") that is wanted (NULL: this machine): -1 not at all, else more is better. What it doesn't say
 * fits. */
int platform_rank(const char *platform, const char *os, const char *architecture, const char *variant);

/* A NAME with its default tag: "busybox" -> "busybox:latest". Grammar: [host[:port]/]path[:tag][@digest]. The canonical
 * form in OUT (malloc'ed). 0 or -EINVAL with what is wrong. */
int image_name_check(const char *name, char **out, struct err *err);

/* A canonical name's parts, malloc'ed; HOST is NULL where it has none, and TAG or DIGEST ("sha256:HEX") where it has the other only. */
struct image_reference {
	char *host, *path, *tag, *digest;
};
void image_name_split(const char *canonical, struct image_reference *out);
void image_reference_free(struct image_reference *r);

/* Whether NAME, as typed, tells a registry: a host, but not "localhost", by which podman's archives call what no registry has. */
bool image_name_has_registry(const char *name);

/* Finds an image by name, id, unique prefix of an id (4 digits and more), or, for a name without a host, as localhost/NAME or
 * docker.io/library/NAME. STORE is $CTRBOX_ROOT's descriptor. 0, -ENOENT (told), or -errno. */
int image_find(int store, const char *name, struct image *out, struct err *err);

/* image_find, and where that finds nothing, imports $CTRBOX_IMAGES/NAME.tar[.gz|.zst] if it is there. Two at once both work. */
int image_find_or_import(int store, const char *name, struct image *out, struct err *err);

/* Its layers are one with the next: none of them is its own any more, nor any step's of its history. */
void image_flatten(struct image *img);

/* One of a Dockerfile's instructions that change a config: "CMD ["a", "b"]" or "CMD a b", ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, MAINTAINER, ONBUILD,
 * SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR; the word in any case. HOW: what variables are; NULL: those of IMG's environment, and the escape is '\\' (as in
 * "docker commit --change"). What another instruction implies (ENTRYPOINT forgets an inherited CMD) is the builder's. 0 or -EINVAL, and IMG as it was. */
struct words;
int image_change(struct image *img, const char *instruction, const struct words *how, struct err *err);

struct layer_import {
	int strip;                   /* leading components to drop from each name */
	bool digested;               /* its digest is known and will be compared: an end mark may be missing (umoci writes none) */
	bool resumed;                /* after a layer that layer_is_bad its source is read on */
	bool rootfs;                 /* refuse what is an archive of images rather than of files */
	int64_t max_window;          /* of zstd, bytes; 0: ZSTD_WINDOW */
	int64_t max_size;            /* of the tar, unpacked, bytes; 0: any */
	void (*progress)(void *arg, int64_t bytes); /* NULL, or told how many bytes were read so far */
	void *progress_arg;
	char diff_id[65];            /* out: hex. The tar's own digest; with `strip` that of the tree as tar_write writes it */
	int64_t size;                /* out: bytes of file content */
	int64_t unpacked;            /* out: bytes of the tar */
};

/* Reads a tar, packed by gzip or zstd or not at all, into a layer. Nothing escapes its tree; a layer that is there already is kept; on failure
 * nothing is left. Returns a descriptor that keeps the layer from being removed: to be closed once an image or a container names
 * it. Else -errno with the offset and the reason. */
int layer_import(int store, struct source *from, struct layer_import *how, struct err *err);

/* Bytes that a layer's tree holds (recorded at import), or -1. */
int64_t layer_size(int store, const char *diff_id);

/* An open descriptor on layers/<diff_id>/tree, or -errno. */
int layer_open(int store, const char *diff_id);

/* Imports a root file system: a layer, CHANGES, an image called NAME (canonical). OUT is the image. CREATED 0: now.
 * 0 or -errno. */
struct image_import {
	struct layer_import layer;
	const char *name;            /* as typed */
	const char *comment;         /* history's created_by */
	struct strs changes;         /* image_change instructions */
	int64_t created;             /* epoch seconds; 0: now */
};
int image_import(int store, struct source *from, struct image_import *how, struct image *out, struct err *err);

/* Loads every image of an archive as docker, podman, skopeo, buildah and umoci write them: docker-archive, OCI archive, OCI directory. FD
 * is a tar (packed or not; a stream is never copied as a whole; of a file, layers that are in the store are not read) or a directory.
 * Digests of configs, manifests and layers, packed and unpacked, are verified before anything counts. 0 or -errno: nothing changed
 * then (but for images that were written before the disk was full). */
struct image_load {
	const char *platform;        /* "os/arch[/variant]" instead of this machine's */
	int64_t max_window;          /* as layer_import's */
	int64_t max_size;            /* of all layers together, unpacked, bytes; 0: any */
	void (*progress)(void *arg, int64_t bytes);
	void *progress_arg;
	struct strs loaded;          /* out: names, and 12 digits of the ids of images without one */
};
int image_load(int store, int fd, struct image_load *how, struct err *err);

/* Brings the image NAME ("HOST[:PORT]/PATH[:TAG][@DIGEST]", as typed) from its registry: HOW as image_load's. What of its layers is in the store isn't
 * fetched; several come at once, each unpacked while it comes, and verified. 0; -ENOENT: the registry has no such image; or -errno: nothing
 * changed then. All told. */
struct registry_options;
struct image_pull {
	struct image_load load;
	const struct registry_options *registry;
	void (*sized)(void *progress_arg, int64_t bytes); /* NULL, or told how many bytes will come */
};
int image_pull(int store, const char *name, struct image_pull *how, struct err *err);

/* Sends the image NAME (as typed; a name with a registry and a tag) there. Layers that the registry has, packed as they came or not, there or in
 * another of its repositories as far as the store's names tell, aren't sent; others go as tars. 0, and the manifest's digest; or -errno, told. */
struct image_push {
	const struct registry_options *registry;
	void (*progress)(void *arg, int64_t bytes); /* NULL, or told how many bytes are there so far */
	void (*sized)(void *arg, int64_t bytes);    /* NULL, or told how many there will be */
	void *progress_arg;
	char digest[65];             /* out: hex */
};
int image_push(int store, const char *name, struct image_push *how, struct err *err);

/* Writes IMG's config, names it NAME (moving the name if it was another's; NULL: no name), fills img->id. HISTORY (may be NULL) is
 * added as what made its last layer. 0 or -errno. */
int image_create(int store, struct image *img, const char *name, const char *history, struct err *err);

int image_tag(int store, const struct image *img, const char *name, struct err *err);

/* What containers use: image ids, and diff_ids of their layers. */
struct image_use {
	struct strs images, layers;
};

/* Removes NAME (or, by id, the image with its only name; with FORCE all of its names); with the last name the image, and
 * layers that no image or container needs. -EBUSY for the last name of an image in use. 0 or -errno. */
int image_remove(int store, const char *name, const struct image_use *use, bool force, struct err *err);

/* Removes what was half-made by those who died, layers that nothing refers to and, if ALL, images without a name and the build cache
 * (build_cache.h). Appends what was freed to REMOVED. 0 or -errno. */
int image_prune(int store, const struct image_use *use, bool all, struct strs *removed, struct err *err);

/* Bytes of file content in all of its layers. */
int64_t image_size(int store, const struct image *img);

/* Writes all there is to say about IMG as a JSON object: id, names, size, layers and what its config says. */
void image_inspect(int store, const struct image *img, struct json_out *o);

/* Every image: CALL with the image and one of its names (NULL: none left), in order of name. CALL's result other than 0 ends it and
 * is returned. An image whose config can't be read is passed over. */
int image_each(int store, int (*call)(void *arg, const struct image *img, const char *name), void *arg, struct err *err);

#endif
