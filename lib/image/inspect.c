#include "image/image.h"

#include "base/json.h"
#include "image/store.h"

#include <string.h>

int64_t image_size(int store, const struct image *img)
{
	int64_t sum = 0;

	for (size_t i = 0; i < img->layers.n; i++) {
		int64_t one = layer_size(store, img->layers.v[i]);

		sum += one > 0 ? one : 0;
	}
	return sum;
}

static void put_layers(struct json_out *o, int store, const struct image *img)
{
	json_begin(o, "layers", '[');
	for (size_t i = 0; i < img->layers.n; i++) {
		json_begin(o, NULL, '{');
		json_put_str(o, "diff_id", img->layers.v[i]);
		json_put_int(o, "size", layer_size(store, img->layers.v[i]));
		json_end(o, '}');
	}
	json_end(o, ']');
}

void image_inspect(int store, const struct image *img, struct json_out *o)
{
	struct strs names = { 0 };
	struct buf text = { 0 };
	struct json *config;

	store_names_of(store, img->id, &names, NULL);
	image_config_write(img, &text);
	config = json_parse(text.p, text.len, NULL);
	json_begin(o, NULL, '{');
	json_put_str(o, "id", img->id);
	json_put_strs(o, "names", &names);
	json_put_int(o, "size", image_size(store, img));
	put_layers(o, store, img);
	for (const struct json *j = config ? config->child : NULL; j; j = j->next)
		if (strcmp(j->key, "rootfs")) /* its diff_ids are the layers */
			json_put_tree(o, j->key, j);
	json_end(o, '}');
	json_free(config);
	buf_free(&text);
	strs_free(&names);
}
