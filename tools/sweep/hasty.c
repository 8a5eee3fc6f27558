/* Linked into a box whose supervisors don't wait before they start a container again (tools/longlife): ten thousand restarts in minutes.
 * ld(1), --wrap: what back_off (lib/ctr/supervise.c) asks for the time after supervisor_restore is told that a minute has passed. */
#include <stdint.h>

struct supervisor;
void __real_supervisor_restore(struct supervisor *s);
void __wrap_supervisor_restore(struct supervisor *s);
int64_t __real_clock_boot_ms(void);
int64_t __wrap_clock_boot_ms(void);

static int asked = 2;

void __wrap_supervisor_restore(struct supervisor *s)
{
	asked = 0;
	__real_supervisor_restore(s);
}

int64_t __wrap_clock_boot_ms(void)
{
	if (asked < 2)
		asked++;
	return __real_clock_boot_ms() + (asked == 2 ? asked++, 60001 : 0);
}
