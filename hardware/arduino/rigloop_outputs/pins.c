// Which port and bit each numbered pin is: a fact of the two boards' wiring.
#include "pins.h"

#include <avr/io.h>
#include <avr/pgmspace.h>

#define P(letter, bit) {&PORT##letter, _BV(bit)}

#if defined(__AVR_ATmega328P__)
const char PINS_BOARD = 'U';
static const struct pin PINS[] PROGMEM = {
    P(D, 0), P(D, 1), P(D, 2), P(D, 3), P(D, 4), P(D, 5), P(D, 6), P(D, 7),  // 0 to 7
    P(B, 0), P(B, 1), P(B, 2), P(B, 3), P(B, 4), P(B, 5),                    // 8 to 13
    P(C, 0), P(C, 1), P(C, 2), P(C, 3), P(C, 4), P(C, 5),                    // A0 to A5
};
#elif defined(__AVR_ATmega2560__)
const char PINS_BOARD = 'M';
static const struct pin PINS[] PROGMEM = {
    P(E, 0), P(E, 1), P(E, 4), P(E, 5), P(G, 5), P(E, 3), P(H, 3), P(H, 4), P(H, 5), P(H, 6),  // 0 to 9
    P(B, 4), P(B, 5), P(B, 6), P(B, 7), P(J, 1), P(J, 0), P(H, 1), P(H, 0), P(D, 3), P(D, 2),  // 10 to 19
    P(D, 1), P(D, 0), P(A, 0), P(A, 1), P(A, 2), P(A, 3), P(A, 4), P(A, 5), P(A, 6), P(A, 7),  // 20 to 29
    P(C, 7), P(C, 6), P(C, 5), P(C, 4), P(C, 3), P(C, 2), P(C, 1), P(C, 0), P(D, 7), P(G, 2),  // 30 to 39
    P(G, 1), P(G, 0), P(L, 7), P(L, 6), P(L, 5), P(L, 4), P(L, 3), P(L, 2), P(L, 1), P(L, 0),  // 40 to 49
    P(B, 3), P(B, 2), P(B, 1), P(B, 0), P(F, 0), P(F, 1), P(F, 2), P(F, 3), P(F, 4), P(F, 5),  // 50 to 59
    P(F, 6), P(F, 7), P(K, 0), P(K, 1), P(K, 2), P(K, 3), P(K, 4), P(K, 5), P(K, 6), P(K, 7),  // 60 to 69
};
#else
#error "rigloop_outputs knows the Uno (ATmega328P) and the Mega (ATmega2560)"
#endif

#define COUNT (sizeof(PINS) / sizeof(PINS[0]))

uint8_t pins_find(uint8_t number, struct pin *found) {
    if (number < 2 || number >= COUNT) {
        return 0;
    }
    memcpy_P(found, &PINS[number], sizeof(*found));
    return 1;
}

void pin_drive_low(struct pin pin) {
    *pin.port &= (uint8_t)~pin.mask;
    *(pin.port - 1) |= pin.mask;
}

void pin_write(struct pin pin, uint8_t high) {
    if (high) {
        *pin.port |= pin.mask;
    } else {
        *pin.port &= (uint8_t)~pin.mask;
    }
}

uint8_t pin_read(struct pin pin) { return (*(pin.port - 2) & pin.mask) != 0; }
