// Timer 1 counts half microseconds and is never stopped or set back; its compare unit A is the alarm.
#include "clock.h"

#include <avr/interrupt.h>
#include <avr/io.h>

#include "lines.h"

#if F_CPU != 16000000UL
#error "the clock counts a 16 MHz crystal by 8: half microseconds"
#endif

// The alarm runs at least this often, for the silence of the host and the hardware watchdog.
#define TICK_US 1000
// An alarm nearer than this many half microseconds is waited for: it could pass while it is set.
#define TOO_NEAR 16

static volatile uint32_t rounds;
static volatile uint8_t ticked;

void clock_start(void) {
    TCCR1A = 0;
    TCCR1B = _BV(CS11);
    TCNT1 = 0;
    OCR1A = 2 * TICK_US;
    TIFR1 = _BV(TOV1) | _BV(OCF1A);
    TIMSK1 = _BV(TOIE1) | _BV(OCIE1A);
}

uint32_t clock_now_us(void) {
    uint16_t low = TCNT1;
    uint32_t high = rounds;
    // The count went round after interrupts went off.
    if ((TIFR1 & _BV(TOV1)) && low < 0x8000) {
        high++;
    }
    return (high << 15) | (low >> 1);
}

void clock_look_after_lines(void) {
    for (;;) {
        uint16_t begin = TCNT1;
        uint16_t wait_us = lines_keep_bounds(clock_now_us(), TICK_US);
        uint16_t alarm = begin + 2 * wait_us;
        OCR1A = alarm;
        if ((int16_t)(alarm - TCNT1) > TOO_NEAR) {
            return;
        }
    }
}

ISR(TIMER1_OVF_vect) { rounds++; }

ISR(TIMER1_COMPA_vect) {
    ticked = 1;
    clock_look_after_lines();
}

uint8_t clock_has_ticked(void) {
    uint8_t was = ticked;
    ticked = 0;
    return was;
}
