/* Quotes, escapes and variables of one word after the other: what words.c is made of. */
#ifndef IMAGE_LEXER_H
#define IMAGE_LEXER_H

#include "image/words.h"

struct lexer {
	const struct words *how;
	struct err *err;
	const char *text, *p;        /* all of it, for messages; what is left */
	size_t cost;                 /* bytes made and looked at, of all words: WORDS_MAX at most */
	int depth;
};

/* N bytes of S to the end of OUT. 0 or -EINVAL. */
int lexer_put(struct lexer *l, struct buf *out, const char *s, size_t n);

/* N bytes of TEXT as one word: *OUT is malloc'ed, NULL if there is none. 0 or -EINVAL. */
int lexer_one(struct lexer *l, const char *text, size_t n, char **out);

/* The quoted part, variable or character at l->p, to the end of OUT. RAW: with its escapes. 0 or -EINVAL. */
int lexer_piece(struct lexer *l, bool raw, struct buf *out);

#endif
