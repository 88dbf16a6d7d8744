// The Arduino's pin numbers, as they are printed on the board (A0 is 14 on an Uno and 54 on a Mega).
#ifndef RIGLOOP_PINS_H
#define RIGLOOP_PINS_H

#include <stdint.h>

struct pin {
    volatile uint8_t *port;  // PORTx; DDRx is the register before it, PINx the one before that
    uint8_t mask;
};

// Which board this is, as the hello says it.
extern const char PINS_BOARD;

// Find a pin. Returns 0 for one that this board has not, and for 0 and 1, which are the serial line.
uint8_t pins_find(uint8_t number, struct pin *found);

void pin_drive_low(struct pin pin);
void pin_write(struct pin pin, uint8_t high);
uint8_t pin_read(struct pin pin);

#endif
