/* Runs a firmware in simavr at the pace of the host's clock, its first serial port on a pseudo-terminal.

   runner FIRMWARE.elf MCU LINK LOG

   LINK becomes a link to the terminal. Opening the terminal while nobody has it open resets the chip, as the DTR line of
   an Arduino does. Each change of an output pin is a line of LOG: "cycle host_ns port levels", levels in hex, of pins
   that are outputs; "reset cycle host_ns" where the chip was reset or reset itself; "mark cycle host_ns" for each
   byte that comes on stdin. It ends when its stdin ends.

   Simulated time never runs ahead of the host's, and what it falls behind by more than 1 ms it never makes up: a
   simulation that had to wait for the processor does not then see the host as silent. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "avr_ioport.h"
#include "avr_uart.h"
#include "sim_avr.h"
#include "sim_elf.h"
#include "sim_time.h"

#define SLICE_US 100
#define BEHIND_NS 1000000LL
#define PENDING 65536

static avr_t *avr;
static int master;
static FILE *logged;
static int may_send = 1;
static int was_open;
static unsigned char pending[PENDING];
static unsigned first, last;
static avr_irq_t *uart_input;
static long long lag_ns, begin_ns;
static struct {
    uint8_t port, ddr, level;
} ports[12];

static long long host_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void note_reset(void) {
    fprintf(logged, "reset %llu %lld\n", (unsigned long long)avr->cycle, host_ns());
    fflush(logged);
}

static void note_port(int i) {
    uint8_t level = ports[i].port & ports[i].ddr;
    if (level != ports[i].level) {
        ports[i].level = level;
        fprintf(logged, "%llu %lld %c %02x\n", (unsigned long long)avr->cycle, host_ns(), 'A' + i, level);
        fflush(logged);
    }
}

static void port_changed(avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    int i = (int)(size_t)param;
    ports[i].port = value;
    note_port(i);
}

static void direction_changed(avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    int i = (int)(size_t)param;
    ports[i].ddr = value;
    note_port(i);
}

static void sent(avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    (void)param;
    unsigned char byte = value;
    /* Nobody there, or nobody reads: the byte is lost, as on a real line. */
    if (write(master, &byte, 1) < 0) {
        return;
    }
}

static void xon(avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    (void)value;
    (void)param;
    may_send = 1;
    while (may_send && first != last) {
        avr_raise_irq(uart_input, pending[first++ % PENDING]);
    }
}

static void xoff(avr_irq_t *irq, uint32_t value, void *param) {
    (void)irq;
    (void)value;
    (void)param;
    may_send = 0;
}

static void receive(void) {
    unsigned char bytes[256];
    ssize_t count = read(master, bytes, sizeof(bytes));
    for (ssize_t i = 0; i < count; i++) {
        if (last - first < PENDING) {
            pending[last++ % PENDING] = bytes[i];
        }
    }
    while (may_send && first != last) {
        avr_raise_irq(uart_input, pending[first++ % PENDING]);
    }
}

static void (*core_reset)(avr_t *);
static int was_reset;

static void hooked_reset(avr_t *chip) {
    if (core_reset) {
        core_reset(chip);
    }
    was_reset = 1;
}

static int due;

static avr_cycle_count_t slice(avr_t *chip, avr_cycle_count_t when, void *param) {
    (void)chip;
    (void)param;
    due = 1;
    return when + SLICE_US * 16;
}

/* A reset drops all timers, and simavr tells nobody that the pins have become inputs. */
static void after_reset(avr_cycle_count_t before) {
    was_reset = 0;
    may_send = 1;
    for (int i = 0; i < 12; i++) {
        ports[i].port = ports[i].ddr = 0;
        note_port(i);
    }
    note_reset();
    if (avr->cycle < before) {
        begin_ns = host_ns();
        lag_ns = 0;
    }
    avr_cycle_timer_register_usec(avr, SLICE_US, slice, NULL);
}

/* Look at the terminal, and wait for the host's clock if the simulated one is ahead. Returns 0 at the end of stdin. */
static int meet_host(int *reset) {
    long long simulated_ns = (long long)(avr->cycle * 1000ULL / 16);
    long long ahead = simulated_ns + lag_ns - (host_ns() - begin_ns);
    if (ahead < -BEHIND_NS) {
        lag_ns -= ahead;
    }
    struct pollfd files[2] = {{.fd = master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    struct timespec wait = {0, ahead > 0 ? ahead : 0};
    /* A terminal that nobody has open is ready always: wait for stdin alone then. */
    files[0].fd = was_open ? master : -1;
    ppoll(files, 2, &wait, NULL);
    if (files[1].revents) {
        char byte;
        if (read(0, &byte, 1) <= 0) {
            return 0;
        }
        fprintf(logged, "mark %llu %lld\n", (unsigned long long)avr->cycle, host_ns());
        fflush(logged);
    }
    struct pollfd terminal = {.fd = master, .events = POLLIN};
    poll(&terminal, 1, 0);
    int open = !(terminal.revents & POLLHUP);
    *reset = open && !was_open;
    was_open = open;
    if (terminal.revents & POLLIN) {
        receive();
    }
    return 1;
}

static void no_sleep(avr_t *chip, avr_cycle_count_t cycles) {
    (void)chip;
    (void)cycles;
}

static void connect_parts(void) {
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    uart_input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), sent, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), xon, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), xoff, NULL);
    for (int i = 0; i < 12; i++) {
        avr_irq_t *port = avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ('A' + i), IOPORT_IRQ_REG_PORT);
        avr_irq_t *direction = avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ('A' + i), IOPORT_IRQ_DIRECTION_ALL);
        if (port && direction) {
            avr_irq_register_notify(port, port_changed, (void *)(size_t)i);
            avr_irq_register_notify(direction, direction_changed, (void *)(size_t)i);
        }
    }
}

static int open_terminal(const char *link) {
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master < 0 || grantpt(master) || unlockpt(master)) {
        return 0;
    }
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    struct termios raw;
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    /* Once opened and closed, the master can tell whether somebody has it open. */
    close(slave);
    unlink(link);
    return symlink(ptsname(master), link) == 0;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: runner FIRMWARE.elf MCU LINK LOG\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof(firmware));
    avr = avr_make_mcu_by_name(argv[2]);
    logged = fopen(argv[4], "w");
    if (elf_read_firmware(argv[1], &firmware) || !avr || !logged) {
        fprintf(stderr, "runner: cannot read %s, write %s, or simulate an %s\n", argv[1], argv[4], argv[2]);
        return 2;
    }
    firmware.frequency = 16000000;
    avr_init(avr);
    avr_load_firmware(avr, &firmware);
    avr->sleep = no_sleep;
    avr->log = LOG_ERROR;
    connect_parts();
    if (!open_terminal(argv[3])) {
        perror("runner: pseudo-terminal");
        return 2;
    }
    begin_ns = host_ns();
    core_reset = avr->reset;
    avr->reset = hooked_reset;
    avr_cycle_timer_register_usec(avr, SLICE_US, slice, NULL);
    puts("ready");
    fflush(stdout);
    for (;;) {
        avr_cycle_count_t before = avr->cycle;
        int state = avr_run(avr);
        if (was_reset) {
            after_reset(before);
        } else if (state == cpu_Done || state == cpu_Crashed) {
            fprintf(stderr, "runner: the chip stopped, state %d\n", state);
            return 1;
        }
        int reset = 0;
        if (due) {
            due = 0;
            if (!meet_host(&reset)) {
                break;
            }
        }
        if (reset) {
            first = last;
            before = avr->cycle;
            avr_reset(avr);
            after_reset(before);
        }
    }
    avr_terminate(avr);
    return 0;
}
