// The output lines and their bounds: how long one may be high, and that the host must be heard.
#ifndef RIGLOOP_LINES_H
#define RIGLOOP_LINES_H

#include <stdint.h>

// Why a command about a line is refused; 0 is: carried out.
#define REFUSED_LINE 'L'     // there is no such line, or it was not configured
#define REFUSED_PIN 'P'      // there is no such pin, or another line has it
#define REFUSED_HIGH 'H'     // a line that is high is not configured anew
#define REFUSED_CUT 'X'      // the board closed it by itself; it must be set low before it is set high

// Why the board closed a line by itself.
#define CLOSED_TIME 'T'      // the time that the host gave was over
#define CLOSED_BOUND 'B'     // a valve was open for as long as this board allows
#define CLOSED_SILENCE 'S'   // the host fell silent

struct event {
    uint8_t line;
    uint8_t cause;
    uint32_t at_us;
};

// Give a line its pin. All the others of this header but lines_keep_bounds may be called with interrupts on.
uint8_t lines_configure(uint8_t line, uint8_t pin, uint8_t is_valve);

// Set a line. at_most_us: how long it may stay high, 0: no bound (a valve has one always). *at_us: when it was done.
uint8_t lines_set(uint8_t line, uint8_t high, uint32_t at_most_us, uint32_t *at_us);

void lines_all_low(void);

// All low, no line configured, and the host is taken for heard: what a hello does.
void lines_forget(void);

// The host was heard just now. Returns 0 if it was not heard before within ALL_SILENCE_US: then only a hello helps.
uint8_t lines_hear(void);

// Bit i: the pin of line i is high, read from the pin itself.
uint8_t lines_levels(void);

// Close what must be closed; return in how many us to look again, at_most at the latest. Interrupts off.
uint16_t lines_keep_bounds(uint32_t now_us, uint16_t at_most);

// Take one thing that the board did by itself. Returns 0 if there is none.
uint8_t lines_event(struct event *event);
uint8_t lines_have_events(void);

#endif
