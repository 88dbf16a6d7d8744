// Starts the parts, passes bytes to the protocol, and keeps the hardware watchdog content while all is well.
//
// The watchdog is fed only when the main loop and the clock's interrupt both still run. If it is not fed for 120 ms the
// chip is reset, which makes all its pins inputs: a resistor on the wire pulls them down.
#include "board.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>

#include "clock.h"
#include "lines.h"
#include "protocol.h"
#include "serial.h"

uint8_t board_reset_cause __attribute__((section(".noinit")));

// After a reset by the watchdog it still runs, with its shortest time: stop it before memory is set up.
void stop_watchdog(void) __attribute__((naked, used, section(".init3")));
void stop_watchdog(void) {
    board_reset_cause = MCUSR;
    MCUSR = 0;
    wdt_disable();
}

void board_setup(void) {
    cli();
    // The Arduino's own clock would only wake this board for nothing.
    TIMSK0 = 0;
    clock_start();
    serial_start();
    wdt_enable(WDTO_120MS);
    protocol_start(board_reset_cause);
    sei();
}

void board_loop(void) {
    if (clock_has_ticked()) {
        wdt_reset();
    }
    uint8_t byte;
    while (serial_read(&byte)) {
        protocol_byte(byte);
    }
    protocol_events();
    set_sleep_mode(SLEEP_MODE_IDLE);
    cli();
    if (serial_waiting() || lines_have_events()) {
        sei();
        return;
    }
    sleep_enable();
    // The instruction after sei() is carried out before any interrupt: no byte can slip in between.
    sei();
    sleep_cpu();
    sleep_disable();
}

#ifndef ARDUINO
int main(void) {
    board_setup();
    for (;;) {
        board_loop();
    }
}
#endif
