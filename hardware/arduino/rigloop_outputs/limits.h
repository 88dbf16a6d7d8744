// The bounds that this board keeps whatever it is told. Change one only with the valve in mind.
#ifndef RIGLOOP_LIMITS_H
#define RIGLOOP_LIMITS_H

#define PROTOCOL_VERSION 1
#define FIRMWARE_VERSION 1

// Lines that can be connected: seven of a rig, and one to spare.
#define LINES 8
// The longest that a valve may be open, whatever is asked; hardware/settings.py allows no longer pulse either.
#define VALVE_MAX_US 5000000UL
// A host that says nothing for so long is taken for dead. Its heartbeat comes every 10 ms.
#define VALVE_SILENCE_US 100000UL
#define ALL_SILENCE_US 1000000UL
// The longest bound on a line that the host may ask for: far below half the range of the 32-bit clock.
#define ASKED_MAX_US 600000000UL

#endif
