// Everything that changes a pin stands in this file, and runs with interrupts off.
#include "lines.h"

#include <util/atomic.h>

#include "clock.h"
#include "limits.h"
#include "pins.h"

struct line {
    struct pin pin;
    uint8_t configured;
    uint8_t is_valve;
    uint8_t high;
    uint8_t bounded;     // deadline_us holds
    uint8_t hard;        // the deadline is the board's own, not the host's
    uint8_t cut;         // closed against the host's will; must be set low first
    uint8_t event;       // what is to be reported, 0: nothing
    uint32_t rise_us;
    uint32_t deadline_us;
    uint32_t event_us;
};

static struct line lines[LINES];
static uint32_t heard_us;
static uint8_t host_lives;
static volatile uint8_t events;

static void fall(struct line *line) {
    if (line->configured) {
        pin_write(line->pin, 0);
    }
    line->high = 0;
    line->bounded = 0;
}

static void close_by_itself(struct line *line, uint8_t cause, uint32_t now_us) {
    fall(line);
    line->cut = cause != CLOSED_TIME;
    line->event = cause;
    line->event_us = now_us;
    events = 1;
}

void lines_forget(void) {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        for (uint8_t i = 0; i < LINES; i++) {
            fall(&lines[i]);
            lines[i].configured = 0;
            lines[i].cut = 0;
            lines[i].event = 0;
        }
        events = 0;
        heard_us = clock_now_us();
        host_lives = 1;
    }
}

void lines_all_low(void) {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        for (uint8_t i = 0; i < LINES; i++) {
            fall(&lines[i]);
            lines[i].cut = 0;
        }
    }
}

static uint8_t is_taken(uint8_t but, struct pin pin) {
    for (uint8_t i = 0; i < LINES; i++) {
        if (i != but && lines[i].configured && lines[i].pin.port == pin.port && lines[i].pin.mask == pin.mask) {
            return 1;
        }
    }
    return 0;
}

uint8_t lines_configure(uint8_t line, uint8_t number, uint8_t is_valve) {
    struct pin pin;
    if (line >= LINES) {
        return REFUSED_LINE;
    }
    if (!pins_find(number, &pin) || is_taken(line, pin)) {
        return REFUSED_PIN;
    }
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        if (lines[line].high) {
            return REFUSED_HIGH;
        }
        lines[line].pin = pin;
        lines[line].is_valve = is_valve;
        lines[line].configured = 1;
        pin_drive_low(pin);
    }
    return 0;
}

// A valve's bound counts from its rise: being set high again and again does not keep it open.
static void bound(struct line *line, uint32_t now_us, uint32_t at_most_us) {
    line->bounded = at_most_us != 0;
    line->deadline_us = now_us + at_most_us;
    line->hard = 0;
    if (line->is_valve) {
        uint32_t end_us = line->rise_us + VALVE_MAX_US;
        if (!line->bounded || (int32_t)(end_us - line->deadline_us) < 0) {
            line->deadline_us = end_us;
            line->hard = 1;
        }
        line->bounded = 1;
    }
}

static void rise(struct line *line, uint32_t at_most_us) {
    uint8_t was_high = line->high;
    pin_write(line->pin, 1);
    uint32_t now_us = clock_now_us();
    line->high = 1;
    if (!was_high) {
        line->rise_us = now_us;
    }
    bound(line, now_us, at_most_us);
    clock_look_after_lines();
}

uint8_t lines_set(uint8_t number, uint8_t high, uint32_t at_most_us, uint32_t *at_us) {
    if (number >= LINES || !lines[number].configured) {
        return REFUSED_LINE;
    }
    struct line *line = &lines[number];
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        if (high && line->cut) {
            return REFUSED_CUT;
        }
        *at_us = clock_now_us();
        if (high) {
            rise(line, at_most_us);
        } else {
            fall(line);
            line->cut = 0;
        }
    }
    return 0;
}

uint8_t lines_hear(void) {
    // In one piece: the alarm must not find the host dead after it was found alive here.
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        if (host_lives) {
            heard_us = clock_now_us();
        }
    }
    return host_lives;
}

uint8_t lines_levels(void) {
    uint8_t levels = 0;
    for (uint8_t i = 0; i < LINES; i++) {
        if (lines[i].configured && pin_read(lines[i].pin)) {
            levels |= (uint8_t)(1 << i);
        }
    }
    return levels;
}

static void keep_silence_bounds(uint32_t now_us) {
    uint32_t silence_us = now_us - heard_us;
    if (!host_lives || silence_us < VALVE_SILENCE_US) {
        return;
    }
    host_lives = silence_us < ALL_SILENCE_US;
    for (uint8_t i = 0; i < LINES; i++) {
        if (lines[i].high && (lines[i].is_valve || !host_lives)) {
            close_by_itself(&lines[i], CLOSED_SILENCE, now_us);
        }
    }
}

uint16_t lines_keep_bounds(uint32_t now_us, uint16_t at_most) {
    keep_silence_bounds(now_us);
    for (uint8_t i = 0; i < LINES; i++) {
        struct line *line = &lines[i];
        if (!line->high || !line->bounded) {
            continue;
        }
        int32_t left_us = (int32_t)(line->deadline_us - now_us);
        if (left_us <= 0) {
            close_by_itself(line, line->hard ? CLOSED_BOUND : CLOSED_TIME, now_us);
        } else if (left_us < at_most) {
            at_most = (uint16_t)left_us;
        }
    }
    return at_most;
}

uint8_t lines_have_events(void) { return events; }

uint8_t lines_event(struct event *event) {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        for (uint8_t i = 0; i < LINES; i++) {
            if (lines[i].event) {
                event->line = i;
                event->cause = lines[i].event;
                event->at_us = lines[i].event_us;
                lines[i].event = 0;
                return 1;
            }
        }
        events = 0;
    }
    return 0;
}
