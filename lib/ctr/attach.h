/* What a container's supervisor and its clients say to each other: messages on a SOCK_SEQPACKET socket, the first byte
 * says which. The socket is $CTRBOX_RUN/containers/<id>/attach. */
#ifndef CTR_ATTACH_H
#define CTR_ATTACH_H

#include "ctr/record.h"

#define ATTACH_DATA 4096

enum attach_word {
	ATTACH_ALL = 'a',    /* client, first: wants output and the exit code */
	ATTACH_WAIT = 'z',   /* client, first: wants the exit code alone */
	ATTACH_INPUT = 'i',  /* client: bytes for stdin */
	ATTACH_EOF = 'e',    /* client: its stdin ended */
	ATTACH_SIZE = 'w',   /* client: struct winsize */
	ATTACH_SIGNAL = 's', /* client: int signal for the container */
	ATTACH_STDOUT = 'o', /* supervisor */
	ATTACH_STDERR = 'x', /* supervisor */
	ATTACH_EXIT = 'q',   /* supervisor: int exit code, then it closes */
};

/* A listening socket at the record's run directory; fd or -errno, told. Its path may be longer than sun_path: it is named by descriptor. */
int attach_listen(const struct record *r, struct err *err);

/* Connects and says WORD; fd or -errno, told. */
int attach_connect(const struct record *r, enum attach_word word, struct err *err);

/* One message; 0 or -errno. */
int attach_send(int fd, enum attach_word word, const void *data, size_t n);

struct attach_client {
	int fd;               /* from attach_connect or a socket pair */
	bool tty;             /* raw mode on our terminal, window size sent */
	bool input;           /* our stdin goes to the container */
	const char *detach;   /* key sequence ("ctrl-p,ctrl-q"); NULL: the default; "": none */
	const char *id;       /* for messages */
};

/* Relays until the container ends (its exit code is returned), the user detaches (-ECANCELED) or the supervisor vanishes
 * (-ECONNRESET). The terminal is restored in every case; signals that end us restore it too. Closes fd. */
int attach_run(struct attach_client *c);

/* Checks "ctrl-p,ctrl-q" and the like. 0 or -EINVAL. */
int detach_keys_check(const char *keys);

#endif
