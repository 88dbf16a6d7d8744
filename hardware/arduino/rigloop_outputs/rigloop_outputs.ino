// Rigloop's output lines on an Arduino Uno or Mega 2560: open this folder in the Arduino IDE and upload it.
//
// No library is needed, and nothing of the Arduino's own is used but its main loop; `make -C ..` builds the same
// files with avr-gcc and avr-libc alone. What the board does: docs/reference/arduino-protocol.md.
#include "board.h"

void setup() { board_setup(); }

void loop() { board_loop(); }
