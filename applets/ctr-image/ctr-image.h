/* What ctr-image's files share. */
#ifndef CTR_IMAGE_APPLET_H
#define CTR_IMAGE_APPLET_H

#include "image/image.h"

#define SHORT_ID 12

/* The store's descriptor, or the end. */
int image_store(void);

/* Bad usage unless HAVE is how many operands are WANTed; WHAT names them. */
void image_operands(int have, int want, const char *what);

/* The image that the user means, or the end. */
void image_get(int store, const char *name, struct image *img);

/* What containers use, or the end. */
void image_used(struct image_use *use);

/* What --creds was given, or NULL: checked, and taken out of our command line, which everybody can read. */
void image_credentials(const char **typed);

/* As many descriptors as are allowed: each layer is held until all are verified. */
void image_allow_descriptors(void);

/* Subcommands that have a file of their own. */
int ctr_image_import(int argc, char **argv);
int ctr_image_load(int argc, char **argv);
int ctr_image_pull(int argc, char **argv);
int ctr_image_push(int argc, char **argv);
int ctr_image_build(int argc, char **argv);
int ctr_image_export(int argc, char **argv);
int ctr_image_save(int argc, char **argv);
int ctr_image_ls(int argc, char **argv);
int ctr_image_inspect(int argc, char **argv);
int ctr_image_history(int argc, char **argv);

#endif
