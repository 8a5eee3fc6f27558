/* What a process that mostly waits needn't hold. */
#ifndef SYS_MEMORY_H
#define SYS_MEMORY_H

/* Gives back the stack below the caller and the program's text, which comes back from the page cache as far as it is needed: a waiting
 * supervisor then holds some tens of KB. madvise(2), MADV_DONTNEED. */
void memory_release(void);

#endif
