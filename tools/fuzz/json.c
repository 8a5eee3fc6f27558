/* JSON: any bytes become a tree or are refused with a word. A tree that is written and read again is the same; so is an image's config. */
#include "check.h"

#include "base/json.h"
#include "image/image.h"

#include <string.h>

static void write_tree(const struct json *tree, bool pretty, struct buf *out)
{
	struct json_out o = { .b = out, .pretty = pretty };

	out->len = 0;
	json_put_tree(&o, NULL, tree);
}

static void again(const struct json *tree, bool pretty)
{
	struct buf first = { 0 }, then = { 0 };
	struct json *back;

	write_tree(tree, pretty, &first);
	back = json_parse(first.p, first.len, NULL);
	CHECK(back);
	write_tree(back, pretty, &then);
	CHECK(first.len == then.len && !memcmp(first.p, then.p, first.len));
	json_free(back);
	buf_free(&first);
	buf_free(&then);
}

static void config(const char *text, size_t len)
{
	struct buf first = { 0 }, then = { 0 };
	struct err err = { 0 };
	struct image img;

	if (check_told(image_config_read(text, len, &img, &err), &err) < 0)
		return;
	image_config_write(&img, &first);
	image_free(&img);
	CHECK(image_config_read(first.p, first.len, &img, NULL) == 0);
	image_config_write(&img, &then);
	CHECK(first.len == then.len && !memcmp(first.p, then.p, first.len));
	image_free(&img);
	buf_free(&first);
	buf_free(&then);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	struct err err = { 0 };
	struct json *tree = json_parse((const char *)data, len, &err);

	check_told(tree ? 0 : -1, &err);
	if (tree) {
		again(tree, false);
		again(tree, true);
	}
	json_free(tree);
	config((const char *)data, len);
	return 0;
}
