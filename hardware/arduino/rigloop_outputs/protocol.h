// Lines of text with a checksum, as docs/reference/arduino-protocol.md gives them.
#ifndef RIGLOOP_PROTOCOL_H
#define RIGLOOP_PROTOCOL_H

#include <stdint.h>

// Says that the board has started, and why (the chip's MCUSR).
void protocol_start(uint8_t reset_cause);

// Take a byte from the host; carry out the command that it completes.
void protocol_byte(uint8_t byte);

// Tell the host what the board did by itself.
void protocol_events(void);

#endif
