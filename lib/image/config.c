/* The OCI image configuration (image-spec, config.md), with docker's Healthcheck. */
#include "image/image.h"

#include "base/clock.h"
#include "base/json.h"
#include "image/store.h"
#include "image/sha256.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

void image_free(struct image *img)
{
	struct strs *lists[] = { &img->layers, &img->entrypoint, &img->cmd, &img->env, &img->volumes, &img->exposed, &img->labels, &img->healthcheck_test,
		&img->shell, &img->onbuild };
	char *texts[] = { img->name, img->user, img->workdir, img->stop_signal, img->architecture, img->os, img->author };

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		strs_free(lists[i]);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		free(texts[i]);
	for (size_t i = 0; i < img->nhistory; i++) {
		free(img->history[i].created_by);
		free(img->history[i].comment);
	}
	free(img->history);
	memset(img, 0, sizeof *img);
}

const char *image_host_architecture(char out[66])
{
	static const char *const words[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "arm", "arm" }, { "i686", "386" }, { "i586", "386" }, { "i486", "386" }, { "i386", "386" },
	};
	struct utsname u;

	strcpy(out, "unknown");
	if (uname(&u) < 0)
		return out;
	strncpy(out, u.machine, 65);
	out[65] = 0;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (starts_with(u.machine, words[i][0]))
			return words[i][1];
	return out;
}

/* Writing */

static int64_t to_ns(int64_t ms)
{
	return ms > INT64_MAX / 1000000 ? INT64_MAX : ms * 1000000;
}

static void put_time(struct json_out *o, const char *key, int64_t epoch_s)
{
	char text[36];

	if (!epoch_s)
		return;
	clock_rfc3339(to_ns(epoch_s * 1000), text);
	json_put_str(o, key, text);
}

static void put_text(struct json_out *o, const char *key, const char *s)
{
	if (s && *s)
		json_put_str(o, key, s);
}

static void put_list(struct json_out *o, const char *key, const struct strs *l)
{
	if (l->n)
		json_put_strs(o, key, l);
}

/* A set is an object whose values are empty objects. */
static void put_set(struct json_out *o, const char *key, const struct strs *l)
{
	if (!l->n)
		return;
	json_begin(o, key, '{');
	for (size_t i = 0; i < l->n; i++) {
		json_begin(o, l->v[i], '{');
		json_end(o, '}');
	}
	json_end(o, '}');
}

static void put_labels(struct json_out *o, const struct strs *l)
{
	if (!l->n)
		return;
	json_begin(o, "Labels", '{');
	for (size_t i = 0; i < l->n; i++) {
		char *key = xstrndup(l->v[i], strcspn(l->v[i], "="));
		const char *value = l->v[i] + strlen(key);

		json_put_str(o, key, *value ? value + 1 : "");
		free(key);
	}
	json_end(o, '}');
}

static void put_ms(struct json_out *o, const char *key, int64_t ms)
{
	if (ms)
		json_put_int(o, key, to_ns(ms));
}

static void put_health(struct json_out *o, const struct image *img)
{
	if (!img->healthcheck_test.n)
		return;
	json_begin(o, "Healthcheck", '{');
	json_put_strs(o, "Test", &img->healthcheck_test);
	put_ms(o, "Interval", img->health_interval_ms);
	put_ms(o, "Timeout", img->health_timeout_ms);
	put_ms(o, "StartPeriod", img->health_start_ms);
	put_ms(o, "StartInterval", img->health_start_interval_ms);
	if (img->health_retries)
		json_put_int(o, "Retries", img->health_retries);
	json_end(o, '}');
}

static void put_config(struct json_out *o, const struct image *img)
{
	json_begin(o, "config", '{');
	put_text(o, "User", img->user);
	put_set(o, "ExposedPorts", &img->exposed);
	put_list(o, "Env", &img->env);
	put_list(o, "Entrypoint", &img->entrypoint);
	put_list(o, "Cmd", &img->cmd);
	put_health(o, img);
	put_set(o, "Volumes", &img->volumes);
	put_text(o, "WorkingDir", img->workdir);
	put_list(o, "OnBuild", &img->onbuild);
	put_labels(o, &img->labels);
	put_text(o, "StopSignal", img->stop_signal);
	put_list(o, "Shell", &img->shell);
	json_end(o, '}');
}

static void put_history(struct json_out *o, const struct image *img)
{
	json_begin(o, "history", '[');
	for (size_t i = 0; i < img->nhistory; i++) {
		const struct image_step *s = &img->history[i];

		json_begin(o, NULL, '{');
		put_time(o, "created", s->created);
		put_text(o, "created_by", s->created_by);
		put_text(o, "comment", s->comment);
		if (s->empty)
			json_put_bool(o, "empty_layer", true);
		json_end(o, '}');
	}
	json_end(o, ']');
}

void image_config_write(const struct image *img, struct buf *out)
{
	struct json_out o = { .b = out };

	json_begin(&o, NULL, '{');
	put_text(&o, "architecture", img->architecture);
	put_text(&o, "author", img->author);
	put_config(&o, img);
	put_time(&o, "created", img->created);
	put_history(&o, img);
	put_text(&o, "os", img->os);
	json_begin(&o, "rootfs", '{');
	json_put_str(&o, "type", "layers");
	json_begin(&o, "diff_ids", '[');
	for (size_t i = 0; i < img->layers.n; i++) {
		char *id = xasprintf("sha256:%s", img->layers.v[i]);

		json_put_str(&o, NULL, id);
		free(id);
	}
	json_end(&o, ']');
	json_end(&o, '}');
	json_end(&o, '}');
}

/* Reading */

static char *get_text(const struct json *from, const char *key)
{
	const char *s = json_str(from, key);

	return s && *s ? xstrdup(s) : NULL;
}

static int64_t get_time(const struct json *from)
{
	const char *s = json_str(from, "created");
	int64_t ns;

	return s && clock_parse(s, &ns) == 0 ? ns / 1000000000 : 0;
}

static void get_set(const struct json *from, const char *key, struct strs *out)
{
	const struct json *set = json_get(from, key);

	for (const struct json *j = set && set->type == JSON_OBJECT ? set->child : NULL; j; j = j->next)
		strs_add(out, j->key);
}

static void get_labels(const struct json *from, struct strs *out)
{
	const struct json *set = json_get(from, "Labels");

	for (const struct json *j = set && set->type == JSON_OBJECT ? set->child : NULL; j; j = j->next)
		if (j->type == JSON_STRING)
			strs_fmt(out, "%s=%s", j->key, j->text);
}

static void get_health(const struct json *from, struct image *img)
{
	const struct json *h = json_get(from, "Healthcheck");

	json_strs(h, "Test", &img->healthcheck_test);
	img->health_interval_ms = json_int(h, "Interval", 0) / 1000000;
	img->health_timeout_ms = json_int(h, "Timeout", 0) / 1000000;
	img->health_start_ms = json_int(h, "StartPeriod", 0) / 1000000;
	img->health_start_interval_ms = json_int(h, "StartInterval", 0) / 1000000;
	img->health_retries = json_int(h, "Retries", 0);
}

static void get_config(const struct json *c, struct image *img)
{
	json_strs(c, "Entrypoint", &img->entrypoint);
	json_strs(c, "Cmd", &img->cmd);
	json_strs(c, "Env", &img->env);
	json_strs(c, "OnBuild", &img->onbuild);
	json_strs(c, "Shell", &img->shell);
	get_set(c, "Volumes", &img->volumes);
	get_set(c, "ExposedPorts", &img->exposed);
	get_labels(c, &img->labels);
	img->user = get_text(c, "User");
	img->workdir = get_text(c, "WorkingDir");
	img->stop_signal = get_text(c, "StopSignal");
	get_health(c, img);
}

static void get_history(const struct json *root, struct image *img)
{
	const struct json *list = json_get(root, "history");

	if (!list || list->type != JSON_ARRAY)
		return;
	img->history = xcalloc(json_count(list), sizeof *img->history);
	for (const struct json *j = list->child; j; j = j->next)
		img->history[img->nhistory++] = (struct image_step){
			get_text(j, "created_by"), get_text(j, "comment"), get_time(j), json_truth(j, "empty_layer"),
		};
}

/* The diff_ids become names of directories: nothing but sha256 digests may pass. */
static int get_layers(const struct json *root, struct image *img, struct err *err)
{
	struct strs ids = { 0 };
	int rc = 0;

	json_strs(json_get(root, "rootfs"), "diff_ids", &ids);
	for (size_t i = 0; i < ids.n && rc == 0; i++) {
		if (starts_with(ids.v[i], "sha256:") && sha256_is_hex(ids.v[i] + 7))
			strs_add(&img->layers, ids.v[i] + 7);
		else
			rc = err_msg(err, -EINVAL, "diff_id \"%.80s\" is no sha256 digest", ids.v[i]);
	}
	strs_free(&ids);
	return rc;
}

int image_config_read(const char *text, size_t len, struct image *out, struct err *err)
{
	struct json *root = json_parse(text, len, err);
	int rc;

	memset(out, 0, sizeof *out);
	if (!root)
		return -EINVAL;
	get_config(json_get(root, "config"), out);
	get_history(root, out);
	out->architecture = get_text(root, "architecture");
	out->os = get_text(root, "os");
	out->author = get_text(root, "author");
	out->created = get_time(root);
	rc = get_layers(root, out, err);
	json_free(root);
	if (rc < 0)
		image_free(out);
	return rc;
}
