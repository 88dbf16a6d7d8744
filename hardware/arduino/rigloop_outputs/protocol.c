// A command is carried out only if its line is whole: start, fixed length, upper-case hex, checksum. All else is dropped.
#include "protocol.h"

#include <util/crc16.h>

#include "limits.h"
#include "lines.h"
#include "pins.h"
#include "serial.h"

#ifdef RIGLOOP_HANG
#include <avr/interrupt.h>
#include <avr/io.h>
#endif
#include <util/atomic.h>

#include "clock.h"

#define LONGEST 32
// Two digits of the sequence number and the letter before the arguments; the star and four digits after them.
#define HEAD 3
#define TAIL 5

#define REFUSED_CHECKSUM 'C'
#define REFUSED_SYNTAX 'S'
#define REFUSED_STRANGER 'W'  // no hello since the start or since the host fell silent

static uint8_t line[LONGEST];
static uint8_t length;
static uint8_t inside;
static uint8_t reset_cause;
static uint8_t last_number, last_letter;
static uint32_t last_us;

static uint8_t answer[LONGEST];
static uint8_t answered;

static void put(uint8_t byte) { answer[answered++] = byte; }

static void put_hex(uint32_t value, uint8_t digits) {
    while (digits--) {
        uint8_t digit = (value >> (4 * digits)) & 0xF;
        put(digit < 10 ? '0' + digit : 'A' + digit - 10);
    }
}

static uint16_t checksum(uint8_t start, const uint8_t *bytes, uint8_t count) {
    uint16_t sum = _crc_xmodem_update(0xFFFF, start);
    while (count--) {
        sum = _crc_xmodem_update(sum, *bytes++);
    }
    return sum;
}

static void begin(uint8_t number, uint8_t letter) {
    answered = 0;
    put('<');
    put_hex(number, 2);
    put(letter);
}

static void finish(void) {
    uint16_t sum = checksum(answer[0], answer + 1, answered - 1);
    put('*');
    put_hex(sum, 4);
    put('\n');
    serial_write(answer, answered);
}

static void refuse(uint8_t number, uint8_t why) {
    begin(number, 'N');
    put(why);
    finish();
}

// A command that was understood and refused: asked again, it is judged anew.
static void refuse_command(uint8_t number, uint8_t why) {
    last_letter = 0;
    refuse(number, why);
}

static void accept(uint8_t number, uint32_t at_us) {
    begin(number, 'K');
    put_hex(at_us, 8);
    finish();
}

static uint32_t now_us(void) {
    uint32_t now = 0;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { now = clock_now_us(); }
    return now;
}

// Returns whether all digits are upper-case hex.
static uint8_t get_hex(const uint8_t *digits, uint8_t count, uint32_t *value) {
    *value = 0;
    while (count--) {
        uint8_t c = *digits++;
        if (c >= '0' && c <= '9') {
            c -= '0';
        } else if (c >= 'A' && c <= 'F') {
            c -= 'A' - 10;
        } else {
            return 0;
        }
        *value = (*value << 4) | c;
    }
    return 1;
}

static void say_hello(uint8_t number) {
    begin(number, 'V');
    put_hex(PROTOCOL_VERSION, 2);
    put_hex(FIRMWARE_VERSION, 2);
    put(PINS_BOARD);
    put_hex(LINES, 1);
    put_hex(VALVE_MAX_US / 1000, 4);
    put_hex(VALVE_SILENCE_US / 1000, 4);
    put_hex(ALL_SILENCE_US / 1000, 4);
    put_hex(reset_cause, 2);
    finish();
}

static void tell_levels(uint8_t number) {
    begin(number, 'Q');
    put_hex(lines_levels(), 2);
    put_hex(now_us(), 8);
    finish();
}

static void configure(uint8_t number, const uint8_t *args) {
    uint32_t which, pin, is_valve;
    if (!get_hex(args, 1, &which) || !get_hex(args + 1, 2, &pin) || !get_hex(args + 3, 1, &is_valve) || is_valve > 1) {
        refuse_command(number, REFUSED_SYNTAX);
        return;
    }
    uint8_t why = lines_configure((uint8_t)which, (uint8_t)pin, (uint8_t)is_valve);
    if (why) {
        refuse_command(number, why);
    } else {
        last_us = now_us();
        accept(number, last_us);
    }
}

static void set(uint8_t number, const uint8_t *args) {
    uint32_t which, high, at_most_us;
    if (!get_hex(args, 1, &which) || !get_hex(args + 1, 1, &high) || !get_hex(args + 2, 8, &at_most_us) || high > 1 ||
        at_most_us > ASKED_MAX_US) {
        refuse_command(number, REFUSED_SYNTAX);
        return;
    }
    uint8_t why = lines_set((uint8_t)which, (uint8_t)high, at_most_us, &last_us);
    if (why) {
        refuse_command(number, why);
    } else {
        accept(number, last_us);
    }
}

static uint8_t arguments_of(uint8_t letter) {
    switch (letter) {
        case 'C': return 4;
        case 'S': return 10;
        default: return 0;
    }
}

static uint8_t is_command(uint8_t letter) {
#ifdef RIGLOOP_HANG
    if (letter == 'X' || letter == 'Y' || letter == 'Z') {
        return 1;
    }
#endif
    return letter == 'V' || letter == 'H' || letter == 'C' || letter == 'S' || letter == 'L' || letter == 'Q';
}

static void carry_out(uint8_t number, uint8_t letter, const uint8_t *args) {
    if (letter == 'C') {
        configure(number, args);
    } else if (letter == 'S') {
        set(number, args);
    } else if (letter == 'Q') {
        tell_levels(number);
#ifdef RIGLOOP_HANG
    } else if (letter == 'X') {
        TIMSK1 = 0;
    } else if (letter == 'Y') {
        for (;;) {
        }
    } else if (letter == 'Z') {
        cli();
        for (;;) {
        }
#endif
    } else {
        if (letter == 'L') {
            lines_all_low();
        }
        last_us = now_us();
        accept(number, last_us);
    }
}

static void command(uint8_t number, uint8_t letter, const uint8_t *args) {
    if (letter == 'V') {
        last_letter = 0;
        lines_forget();
        say_hello(number);
        return;
    }
    if (!lines_hear()) {
        refuse_command(number, REFUSED_STRANGER);
        return;
    }
    // The host asks again when an answer was lost: what was done is not done twice.
    if (number == last_number && letter == last_letter) {
        accept(number, last_us);
        return;
    }
    last_number = number;
    last_letter = letter == 'Q' ? 0 : letter;
    carry_out(number, letter, args);
}

static void whole_line(void) {
    uint32_t sum, number;
    if (length < HEAD + TAIL || line[length - TAIL] != '*' || !get_hex(line + length - 4, 4, &sum) ||
        sum != checksum('>', line, length - TAIL)) {
        refuse(0, REFUSED_CHECKSUM);
        return;
    }
    uint8_t letter = line[2];
    if (!get_hex(line, 2, &number) || !is_command(letter) || length != HEAD + arguments_of(letter) + TAIL) {
        refuse(0, REFUSED_SYNTAX);
        return;
    }
    command((uint8_t)number, letter, line + HEAD);
}

void protocol_start(uint8_t cause) {
    reset_cause = cause;
    begin(0, 'B');
    put_hex(cause, 2);
    finish();
}

void protocol_byte(uint8_t byte) {
    if (byte == '>') {
        inside = 1;
        length = 0;
    } else if (!inside) {
        return;
    } else if (byte == '\n') {
        inside = 0;
        whole_line();
    } else if (length < LONGEST) {
        line[length++] = byte;
    } else {
        inside = 0;
    }
}

void protocol_events(void) {
    struct event event;
    while (lines_event(&event)) {
        begin(0, 'E');
        put_hex(event.line, 1);
        put(event.cause);
        put_hex(event.at_us, 8);
        finish();
    }
}
