// Microseconds since the start, on timer 1; and the alarm that keeps the lines' bounds.
#ifndef RIGLOOP_CLOCK_H
#define RIGLOOP_CLOCK_H

#include <stdint.h>

void clock_start(void);

// Microseconds, wrapping after 71 minutes. Call with interrupts off.
uint32_t clock_now_us(void);

// Whether the alarm has run since the last call.
uint8_t clock_has_ticked(void);

// Look after the lines now and set the alarm for the next time that is needed. Call with interrupts off.
void clock_look_after_lines(void);

#endif
