/* DEFLATE's codes as tables: inside inflate.c and inflate_codes.c only. */
#ifndef IMAGE_INFLATE_CODES_H
#define IMAGE_INFLATE_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A table entry: bits 0-7 how many bits it uses up (code and extra bits), 8-11 those of the code alone, 12-14 what is out of the
 * ordinary, 16-30 a value, 31 the mark of a literal. For a subtable: its index as the value, its width in 8-11. */
#define LITERAL 0x80000000u
#define SUBTABLE 0x1000u
#define END 0x2000u
#define INVALID 0x4000u
#define ODD (SUBTABLE | END | INVALID)
#define VALUE(E) ((E) >> 16 & 0x7fff)
#define CODE_BITS(E) ((E) >> 8 & 15)
#define CODE_MAX 15

/* What symbol SYM of each alphabet stands for, its extra bits in bits 0-7. */
uint32_t inflate_litlen(unsigned sym);
uint32_t inflate_dist(unsigned sym);
uint32_t inflate_plain(unsigned sym);

/* Builds the decoding table of the code whose N symbols have the lengths LENS: 1 << ROOT entries for codes of up to that many bits,
 * subtables behind them, ENTRIES in all. False if there is no such code. A code with holes is allowed only if it is a single one of
 * one bit, or none at all. */
bool inflate_build(uint32_t *table, size_t entries, unsigned root, const unsigned char *lens, unsigned n, uint32_t (*entry_of)(unsigned));

#endif
