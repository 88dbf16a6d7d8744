// The whole program, as the Arduino's main loop calls it.
#ifndef RIGLOOP_BOARD_H
#define RIGLOOP_BOARD_H

#ifdef __cplusplus
extern "C" {
#endif

void board_setup(void);
void board_loop(void);

#ifdef __cplusplus
}
#endif

#endif
