// USART 0 with a ring for each direction. Interrupts fill and empty them.
#include "serial.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#define BAUD 500000UL
#define RING 128

#if defined(USART_RX_vect)
#define RECEIVED_vect USART_RX_vect
#define EMPTY_vect USART_UDRE_vect
#else
#define RECEIVED_vect USART0_RX_vect
#define EMPTY_vect USART0_UDRE_vect
#endif

static volatile uint8_t in[RING], out[RING];
static volatile uint8_t in_head, in_tail, out_head, out_tail;

void serial_start(void) {
    UBRR0 = F_CPU / 8 / BAUD - 1;
    UCSR0A = _BV(U2X0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
}

// A byte with no room is lost; the checksum of its line is wrong then.
ISR(RECEIVED_vect) {
    uint8_t byte = UDR0;
    uint8_t next = (in_head + 1) % RING;
    if (next != in_tail) {
        in[in_head] = byte;
        in_head = next;
    }
}

ISR(EMPTY_vect) {
    if (out_head == out_tail) {
        UCSR0B &= (uint8_t)~_BV(UDRIE0);
        return;
    }
    UDR0 = out[out_tail];
    out_tail = (out_tail + 1) % RING;
}

uint8_t serial_waiting(void) { return in_head != in_tail; }

uint8_t serial_read(uint8_t *byte) {
    if (!serial_waiting()) {
        return 0;
    }
    *byte = in[in_tail];
    in_tail = (in_tail + 1) % RING;
    return 1;
}

uint8_t serial_write(const uint8_t *bytes, uint8_t count) {
    uint8_t used = (uint8_t)(out_head - out_tail) % RING;
    if (count > RING - 1 - used) {
        return 0;
    }
    for (uint8_t i = 0; i < count; i++) {
        out[out_head] = bytes[i];
        out_head = (out_head + 1) % RING;
    }
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { UCSR0B |= _BV(UDRIE0); }
    return 1;
}
