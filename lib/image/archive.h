/* An archive of images: small texts (JSON) and layers, by name. A tar in a file, a tar in a stream, or a directory: what reads the
 * manifests needs to know no more. Names are only looked up among an archive's own; a directory's never lead out of it. */
#ifndef IMAGE_ARCHIVE_H
#define IMAGE_ARCHIVE_H

#include "image/sha256.h"
#include "image/store.h"
#include "image/tar_read.h"

#define ARCHIVE_TEXT_MAX (4 << 20)   /* bytes of one text: OCI's limit for a manifest */
#define ARCHIVE_VALUES_MAX 65536     /* of one text: as a tree they take more room than as text */
#define ARCHIVE_KEEP_MAX (8 << 20)   /* of all names and texts that are kept */

/* What a tar holds. Of two of one name the last counts. */
struct archive_member {
	char *name, *link;           /* clean; LINK: where a link leads, or NULL */
	int64_t at, size;            /* where its content is in a file */
	struct buf text;             /* in a stream: its content, if that is JSON */
	size_t layer;                /* in a stream: one more than its place in `layers`; 0: none */
	char *wrong;                 /* in a stream: why it became no layer, or NULL */
};

struct archive {
	enum archive_kind { ARCHIVE_STREAM, ARCHIVE_FILE, ARCHIVE_DIR, ARCHIVE_REMOTE } kind;
	int fd, folder;              /* the archive, and the store's LAYERS */
	struct archive_remote *remote; /* of ARCHIVE_REMOTE, which isn't opened: its layers are brought by who made it */
	int64_t max_window, max_size; /* what layer_import may take; MAX_SIZE of all layers together, 0: any */
	void (*progress)(void *arg, int64_t bytes);
	void *progress_arg;
	int64_t done;                /* bytes told to PROGRESS */
	struct archive_member *v;
	size_t n, kept;
	struct archive_layer {
		struct layer_made made;
		bool wanted;         /* an image has it */
	} *layers;
	size_t nlayers;
};

/* One that is somewhere else. */
struct archive_remote {
	/* Member NAME's text at the end of OUT, its digest not yet checked. 0 or -errno, told. */
	int (*text)(struct archive_remote *r, const char *name, struct buf *out, struct err *err);
};

/* Reads the archive FD: a directory, a tar, or a tar packed as a whole. From a stream all of it, layers into the store at once (nothing that
 * counts before layer_settle); from a file only what is where. 0 or -errno. The rest of A is the caller's. */
int archive_open(struct archive *a, int fd, struct err *err);
void archive_close(struct archive *a);

/* Member NAME's text at the end of OUT; HEX (may be NULL) is the digest that it must have. 0 or -errno: -ENOENT when there is none. */
int archive_text(struct archive *a, const char *name, const char *hex, struct buf *out, struct err *err);

/* Makes sure that member NAME is among the layers as DIFF_ID, unless that layer is in the store: then it isn't read. HEX (may be NULL):
 * the digest of the member's own bytes. 0 or -errno. */
int archive_layer(struct archive *a, const char *name, const char *hex, const char *diff_id, struct err *err);

/* The hex digits of a name like blobs/sha256/HEX or HEX, or NULL. */
const char *archive_blob_hex(const char *name);

/* For archive*.c: */

/* A member's own bytes: what they begin with can be looked at, and they are digested on their way. */
struct archive_blob {
	struct source s;
	struct source *from;
	struct archive *a;
	unsigned char head[TAR_BLOCK];
	size_t have, given;
	bool digest;
	int64_t passed;              /* bytes of it so far */
	struct sha256 sha;
};
enum archive_content { ARCHIVE_OTHER, ARCHIVE_TEXT, ARCHIVE_TAR, ARCHIVE_PACKED };

/* The current entry of R joins the table; NULL, told, when that is full. */
struct archive_member *archive_add(struct archive *a, const struct tar_reader *r, struct err *err);
int archive_blob_begin(struct archive_blob *b, struct archive *a, struct source *from, struct err *err);
enum archive_content archive_blob_content(const struct archive_blob *b);

/* A layer of B's bytes: one more than its place in `layers`, or -errno. */
int archive_make_layer(struct archive *a, struct archive_blob *b, const char *hex, struct err *err);
/* The same, into MADE, which was begun; it joins nothing yet. UNPACKED: its tar's bytes. 0 or -errno: then it is to be unmade. */
int archive_fill_layer(struct archive *a, struct archive_blob *b, const char *hex, struct layer_made *made, int64_t *unpacked, struct err *err);
/* MADE joins `layers`, unless there is that layer already: then it is unmade. One more than its place. */
int archive_join_layer(struct archive *a, struct layer_made *made, int64_t unpacked);
/* The same of the layer that is in the store: 0 if it isn't. */
int archive_known_layer(struct archive *a, const char *diff_id);

int archive_read_stream(struct archive *a, struct source *from, struct err *err);
int archive_read_index(struct archive *a, struct err *err);

/* N bytes of FD from AT, as a source. */
struct range_source {
	struct source s;
	int fd;
	int64_t at, end;
	size_t most;                 /* bytes at once; 0: any number */
};
void range_source_init(struct range_source *r, int fd, int64_t at, int64_t end);

#endif
