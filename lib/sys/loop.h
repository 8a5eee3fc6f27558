/* Loop devices: a file as a block device. loop(4). */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include "base/err.h"

/* Puts FILE (open for reading) behind a free loop device, read-only, whose path is written to NAME. The device is free again when the last
 * who has it open (the descriptor that is returned, a mount) lets go, however that ends. fd or -errno, told. */
int loop_open(int file, char name[24], struct err *err);

#endif
