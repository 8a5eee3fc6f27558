/* What a reader knows and an analyzer of one file doesn't: err_*() return the error they are given, and errno is positive once something failed. */
#include "base/err.h"
#include <errno.h>

#define err_sys(e, code, ...) (err_sys(e, code, __VA_ARGS__), (code))
#define err_msg(e, code, ...) (err_msg(e, code, __VA_ARGS__), (code))
#define err_prefix(...) (err_prefix(__VA_ARGS__), -EIO)
#define err_hint(e, hint) (err_hint(e, hint), -EIO)
#undef errno
#define errno (*({ int *told = __errno_location(); if (*told <= 0) __builtin_unreachable(); told; }))
