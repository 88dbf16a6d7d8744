// The serial line to the host: 500000 baud, which a 16 MHz crystal divides into without error; 8N1.
#ifndef RIGLOOP_SERIAL_H
#define RIGLOOP_SERIAL_H

#include <stdint.h>

void serial_start(void);

// Take a byte that has come. Returns 0 if there is none.
uint8_t serial_read(uint8_t *byte);
uint8_t serial_waiting(void);

// Send so many bytes, all or none: what has no room is left out, and the host asks again. Never waits.
uint8_t serial_write(const uint8_t *bytes, uint8_t count);

#endif
