#include "image/zstd_block.h"

#include <string.h>

enum { RAW, RLE, COMPRESSED, TREELESS };

void zstd_block_init(struct zstd_block *b)
{
	b->coded = false;
	memset(b->log, -1, sizeof b->log);
	memcpy(b->repeat, (uint32_t[3]){ 1, 4, 8 }, sizeof b->repeat);
}

/* The literals' section header (3.1.1.3.1.1). */
struct header {
	unsigned type, streams;
	size_t bytes;             /* of the header */
	size_t size, packed;      /* of the literals, decoded and as they follow */
};

static struct header header(const unsigned char *p)
{
	uint64_t v = load64(p);
	unsigned format = v >> 2 & 3;
	struct header h = { .type = v & 3, .streams = format ? 4 : 1 };

	if (h.type < COMPRESSED) {
		h.bytes = format == 1 ? 2 : format == 3 ? 3 : 1;
		h.size = (v & ((1u << 8 * h.bytes) - 1)) >> (format & 1 ? 4 : 3);
		h.packed = h.type == RAW ? h.size : 1;
	} else {
		unsigned width = format < 2 ? 10 : format == 2 ? 14 : 18;

		h.bytes = (4 + 2 * width) / 8;
		h.size = v >> 4 & ((1u << width) - 1);
		h.packed = v >> (4 + width) & ((1u << width) - 1);
	}
	return h;
}

static const char *coded_literals(struct zstd_block *b, struct span *in, const struct header *h)
{
	struct span own = { in->p, in->p + h->packed };
	const char *wrong = NULL;

	if (h->type == COMPRESSED) {
		wrong = huffman_read(b->huffman, &own);
		b->coded = !wrong;
	} else if (!b->coded) {
		wrong = "literals without a Huffman code";
	}
	if (wrong)
		return wrong;
	return h->streams == 1 ? huffman_1(b->huffman, own, b->literals, h->size) : huffman_4(b->huffman, own, b->literals, h->size);
}

/* What is decoded already is used where it lies. */
static const char *literals(struct zstd_block *b, struct span *in, size_t most, struct span *out)
{
	struct header h = header(in->p);
	const char *wrong = NULL;

	if ((size_t)(in->end - in->p) < h.bytes + h.packed || h.size > most)
		return "the literals' size";
	in->p += h.bytes;
	*out = (struct span){ b->literals, b->literals + h.size };
	if (h.type == RAW)
		*out = (struct span){ in->p, in->p + h.size };
	else if (h.type == RLE)
		memset(b->literals, *in->p, h.size);
	else
		wrong = coded_literals(b, in, &h);
	if (!wrong)
		in->p += h.packed;
	return wrong;
}

const char *zstd_block_decode(struct zstd_block *b, struct span *in, struct zstd_out *out)
{
	struct span lit;
	const char *wrong = in->p == in->end ? "an empty block" : literals(b, in, out->room, &lit);

	return wrong ? wrong : zstd_sequences(b, in, lit, out);
}
