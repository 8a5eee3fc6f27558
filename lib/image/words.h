/* How the texts of a Dockerfile's instructions become words: quotes, escapes and variables as docker reads them ("Dockerfile reference", Environment
 * replacement). What surprises in it is docker's:
 *
 *   $V ${V} ${V:-w} ${V-w} ${V:+w} ${V+w} ${V:?w} ${V?w} ${V#p} ${V##p} ${V%p} ${V%%p} ${V/p/w} ${V//p/w}
 *
 * where w is a word in which all this counts again, taken whether it is needed or not, and p a pattern of * and ?. What isn't set is "". 'x': as it stands; "x":
 * $ counts, and the escape before " $ and itself; elsewhere the escape takes any character as it stands, and is gone at a text's end.
 *
 * Whatever the text, nothing becomes longer than WORDS_MAX, nor costs more than that many bytes looked at: -EINVAL, told with the text. */
#ifndef IMAGE_WORDS_H
#define IMAGE_WORDS_H

#include "base/buf.h"
#include "base/err.h"

#define WORDS_MAX (1 << 20)
#define WORDS_BLANKS " \t\n\v\f\r"

struct words {
	char escape;                 /* '\\', or what "# escape=" says */
	const struct strs *env;      /* K=V: what variables are. NULL: nothing is a variable, a $ is a $ */
};

/* Length of the word that TEXT begins with, quotes and escapes left in it: blanks in quotes and behind an escape don't end it. */
size_t words_raw(const char *text, char escape);

/* All of TEXT as one word, blanks and all (USER, WORKDIR, STOPSIGNAL, a flag, a side of a pair): *OUT is malloc'ed. 0 or -EINVAL. */
int words_one(const char *text, const struct words *how, char **out, struct err *err);

/* TEXT of a heredoc: variables alone count, and the escape before a $ and itself. *OUT is malloc'ed. 0 or -EINVAL. */
int words_text(const char *text, const struct words *how, char **out, struct err *err);

/* A JSON array's strings, or what is between blanks, wherever they are (a name with a blank needs JSON); of each its words_one: COPY, ADD, VOLUME, FROM.
 * A variable's value stays one word. Appends to OUT; 0 or -EINVAL. */
int words_list(const char *text, const struct words *how, struct strs *out, struct err *err);

/* What is between blanks that are not in quotes, those in the values of variables outside of quotes included; no empty word: EXPOSE alone. Appends; 0 or
 * -EINVAL. */
int words_split(const char *text, const struct words *how, struct strs *out, struct err *err);

enum words_pairs { WORDS_ENV /* and LABEL */, WORDS_ARG };

/* "K=V" of each pair; both sides are words_one. ENV and LABEL: also the old form, K and then a value to the text's end. ARG: also K alone, which gives "K".
 * Appends; 0, or -EINVAL where there is no K, or no V. */
int words_pairs(const char *text, enum words_pairs kind, const struct words *how, struct strs *out, struct err *err);

/* The exec form: true if TEXT is a JSON array of nothing but strings, which are appended to OUT as they are: nothing in them is a variable. */
bool words_json(const char *text, struct strs *out);

#endif
