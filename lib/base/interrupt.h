/* ^C in the middle of long work: what was begun is taken back before the command ends. */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/* From here on SIGINT, SIGTERM and SIGHUP are only noted (unless they were ignored), and end a blocking system call; a second one kills, unless it
 * comes at the same moment. False if that was so already. */
bool interrupt_catch(void);

/* From now on a second one doesn't kill either: for a process that another one ends. */
void interrupt_only_note(void);

/* They act again as they do by themselves. */
void interrupt_release(void);

/* Whether one came. */
bool interrupted(void);

/* Waits until FD can be read. 0, -EINTR if one came (at whatever moment), or -errno. */
int interrupt_wait(int fd);

/* The same for several: poll(2) without a timeout. */
int interrupt_poll(struct pollfd *p, size_t n);

/* Ends the process as the signal would have, if one came. */
void interrupt_end(void);

#endif
