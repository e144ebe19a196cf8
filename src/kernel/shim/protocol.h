/* The control socket, fd 3: a stream of frames, both ways, little-endian.
 *
 *      0        4        8
 *      +--------+--------+----------------------+
 *      | type   | length | length bytes         |
 *      +--------+--------+----------------------+
 *
 *   launcher -> shim                       shim -> launcher
 *   program  an encoded program, first     started  i32 pid of the child
 *   signal   i32 signal number             failed   i32 index, i32 errno, i32 result of every instruction
 *   detach   nothing; go on without me
 *                                          notice   nothing; fd 17 had something to say
 *                                          exited   i32 wait status, then the program's report bytes
 *
 *   program ----> run ----> started ----> exited     (end of file after it)
 *                  |
 *                  +------> failed                   (end of file after it; nothing is left)
 *
 * End of file from the launcher means that it is dead or done: everything inside dies, unless the program is detached.
 *
 * The socket of a client (attach.h) has frames of the same form:
 *
 *   client -> shim                         shim -> client
 *   input      bytes                       output        bytes of stdout, or of the terminal
 *   resize     u16 rows, u16 columns       error output  bytes of stderr
 *   end input  nothing                     missed        u32 bytes that the client was too slow for
 *
 * Whoever is not the launcher reads the run record (fd 8), a file: i32 pid of the child once it has started, then i32 wait
 * status and the report bytes once it has ended. */
#pragma once
#include "abi.h"

/* Sends one frame made of up to two parts. Failure is ignored: a dead launcher shows as end of file. */
void send_frame(uint32_t type, const void *head, uint32_t head_length, const void *tail, uint32_t tail_length);
