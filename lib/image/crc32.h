/* CRC-32 as gzip has it (RFC 1952, polynomial 0xedb88320 reflected). */
#ifndef IMAGE_CRC32_H
#define IMAGE_CRC32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CRC of what came before (0 at the start) and of LEN bytes more. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t len);

/* For crc32*.c: whether this processor has instructions for it; by them, N blocks of 64 bytes, N at least 1; and LEN bytes by tables. CRC is
 * the register's, not inverted. */
bool crc32_cpu_has(void);
uint32_t crc32_cpu_blocks(uint32_t crc, const unsigned char *p, size_t n);
uint32_t crc32_plain(uint32_t crc, const unsigned char *p, size_t len);

#endif
