/* A Containerfile, or Dockerfile, read: its instructions, one after the other ("Dockerfile reference"). Nothing in them is a variable yet (image/words.h). */
#ifndef BUILD_CONTAINERFILE_H
#define BUILD_CONTAINERFILE_H

#include "base/buf.h"
#include "base/err.h"

#define CONTAINERFILE_MAX (1 << 20)

/* In order of their words. */
enum instruction_kind {
	I_ADD, I_ARG, I_CMD, I_COPY, I_ENTRYPOINT, I_ENV, I_EXPOSE, I_FROM, I_HEALTHCHECK, I_LABEL, I_MAINTAINER, I_ONBUILD, I_RUN, I_SHELL, I_STOPSIGNAL, I_USER,
	I_VOLUME, I_WORKDIR
};

/* "<<NAME" in the text of ADD, COPY or RUN, and the lines below it up to NAME. */
struct heredoc {
	char *name, *text;           /* every line of TEXT with its newline; without its leading tabs where it was <<-NAME */
	bool literal;                /* NAME was in quotes: nothing in TEXT is a variable */
};

struct instruction {
	enum instruction_kind kind;
	int line;                    /* where it begins, from 1; of instruction_parse 0 */
	struct strs flags;           /* "--from=x" of ADD, COPY, FROM and RUN, as they stand: quotes are for words_one. Others' (HEALTHCHECK) stay in TEXT */
	char *text;                  /* what is behind them, on one line: never empty, no blanks around it. ONBUILD's has its heredocs in it, on lines of their own */
	struct heredoc *heredocs;    /* in the order of their <<NAME, which stay in TEXT */
	size_t nheredocs;
};
void instruction_free(struct instruction *i);

struct containerfile {
	char escape;                 /* '\\' or '`' */
	struct instruction *v;       /* ARGs, then FROM, then any */
	size_t n;
};

/* The LEN bytes of TEXT, which is called NAME in messages ("NAME:LINE: .."). 0, or -EINVAL: more than CONTAINERFILE_MAX, a NUL, an unknown instruction, one
 * without what it needs, a heredoc without an end, none FROM. OUT is for containerfile_free after 0 alone. */
int containerfile_parse(const char *name, const char *text, size_t len, struct containerfile *out, struct err *err);
void containerfile_free(struct containerfile *c);

/* One instruction, as an image's config has those of ONBUILD: its first line is whole. 0, or -EINVAL. */
int instruction_parse(const char *text, char escape, struct instruction *out, struct err *err);

/* "RUN". */
const char *instruction_word(enum instruction_kind kind);

/* Whether WORD, one of the words of ADD's or COPY's text, is "<<NAME" (else it is a file): that heredoc of I, or NULL. */
const struct heredoc *instruction_heredoc(const struct instruction *i, const char *word);

#endif
