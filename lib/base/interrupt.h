/* ^C in the middle of long work: what was begun is taken back before the command ends. */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include <stdbool.h>

/* From here on SIGINT, SIGTERM and SIGHUP are only noted (unless they were ignored), and end a blocking system call; a second one kills. False if
 * that was so already. */
bool interrupt_catch(void);

/* They act again as they do by themselves. */
void interrupt_release(void);

/* Whether one came. */
bool interrupted(void);

/* Waits until FD can be read. 0, -EINTR if one came (at whatever moment), or -errno. */
int interrupt_wait(int fd);

/* Ends the process as the signal would have, if one came. */
void interrupt_end(void);

#endif
