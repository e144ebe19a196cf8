#pragma once

/* The most that is read from a process's output at once. */
#define MAX_OUTPUT 32768u
