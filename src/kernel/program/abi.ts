import { OPERATIONS } from './instruction.ts';
import { declareStruct, layout } from './layout.ts';

/**
 * What TypeScript and the shim agree on. The shim's header is generated from this file, so the two cannot drift.
 *
 * An encoded program is: header, sections, instructions, relocations (u32 offsets into the data of 8-byte cells that
 * hold data offsets and become pointers), data.
 */
export const PROGRAM_MAGIC = 0x3146_504d; // "MPF1"

export const HEADER = layout({
  magic: 'u32',
  sections: 'u32',
  instructions: 'u32',
  relocations: 'u32',
  data: 'u32',
  /** Where the bytes lie that go out with the exit report. */
  report_offset: 'u32',
  report_length: 'u32',
  /** Index of the section that runs after the container has died; -1 for none. */
  teardown: 'i32',
  /** Bytes of log kept; older output is punched out of the file. 0: no limit. */
  log_limit: 'u64',
  /** poll(2) events of fd `notice` upon which a `notice` frame is sent; 0 for none. */
  notice_events: 'u32',
  /** Index of the instruction whose first attempt fails with `fail_errno` instead of being made; -1 for none. */
  fail_index: 'i32',
  fail_errno: 'i32',
  /** 1: the end of the launcher is not the end of the program's child. */
  detached: 'u32',
  /** Descriptors from FIRST_FREE_FD on that the launcher hands over, beside those with a fixed meaning. */
  passed: 'u32',
  /** What there is of {@link ATTACH}. */
  attach: 'u32',
});

export const SECTION = layout({ first: 'u32', count: 'u32', role: 'u32' });

export const INSTRUCTION = layout({
  kind: 'u16',
  operands: 'u16',
  /** System-call number, or for `clone` the section that the child runs. */
  number: 'i32',
  operand_kinds: ['u8', 8],
  tolerate: ['u16', 4],
  values: ['u64', 6],
});

/** Connections to `listener`, a descriptor, go on to `address`, a struct sockaddr_in. */
export const FORWARD_RULE = layout({ listener: 'i32', address: ['u8', 16] });

export const OPERAND_KINDS = { immediate: 0, data: 1, result: 2 } as const;

/** What a process does once its section has run. */
export const ROLES = {
  /** Writes the log, serves the control socket, reports the exit. */
  supervisor: 0,
  /** PID 1: reaps and forwards signals until its own child ends. */
  init: 1,
  /** Ends in execve; coming to the end of the section is a failure. */
  payload: 2,
  /** Not started by clone; run by the supervisor at the end. */
  teardown: 3,
} as const;

export type Role = keyof typeof ROLES;

/**
 * Ways to what the program's process writes and reads, as bits:
 * `listen`: fd `attach` takes in clients; `client`: fd `attached` is one from the start;
 * `terminal`: a pseudo terminal will come over fd `input`; `pipe`: fd `input` leads to the process's stdin.
 */
export const ATTACH = { listen: 1, client: 2, terminal: 4, pipe: 8 } as const;

/** Frames on the control socket and on those of clients: u32 type, u32 length of what follows. Drawn in shim/protocol.h. */
export const FRAMES = {
  program: 1,
  signal: 2,
  input: 3,
  resize: 4,
  endInput: 5,
  detach: 6,
  started: 17,
  failed: 18,
  exited: 19,
  notice: 20,
  output: 21,
  errorOutput: 22,
  missed: 23,
} as const;

export const FRAME = layout({ type: 'u32', length: 'u32' });

/** Sent with `failed`, followed by one i32 per instruction of the program: its result, 0 when it did not run. */
export const FAILURE = layout({ index: 'i32', errno: 'i32' });

/** File descriptors with a fixed meaning in the shim. Those the launcher does not supply are /dev/null. */
export const FDS = {
  control: 3,
  lock: 4,
  network: 5,
  log: 6,
  netns: 7,
  runRecord: 8,
  pidfd: 9,
  stdin: 10,
  stdout: 11,
  stderr: 12,
  logStdout: 13,
  logStderr: 14,
  /** Netfilter socket that owns the network's NAT table. */
  firewall: 16,
  /** The shim's own: where a child reports its failure. Closed by a successful execve. */
  report: 15,
  /** Watched while the child lives; what it says is passed on as an empty frame. An eventfd, or a file that polls. */
  notice: 17,
  /** What an eventfd on `notice` is about, for kernel interfaces that take the numbers of both. */
  noticeSource: 18,
  /** User namespace: an ordinary user's programs begin with entering it, a private one's payload enters it last. */
  userns: 19,
  /** A tree of layers that the launcher is to open. */
  rootfs: 20,
  /** Namespaces of another container that this one shares, and the mount namespace in which its /dev/shm is found. */
  sharedIpc: 21,
  sharedPid: 22,
  sharedMounts: 23,
  /** What the guard of a shared PID namespace watches, and what it ends: a pidfd of the shim, and cgroup.kill. */
  supervisor: 24,
  killSwitch: 25,
  /** A pidfd of that guard. */
  guard: 26,
  /** The file system of limited size that a container's upper lies on; reachable here as long as the shim lives. */
  storage: 27,
  /** Listening socket at which clients attach to the process's streams. */
  attach: 28,
  /** A client that is attached from the start. */
  attached: 29,
  /** What the process reads is written here: the end of a pipe, or a socket over which a terminal's master comes to take its place. */
  input: 30,
  /** The other end of that socket. */
  handover: 31,
  /** Netlink sockets in the container's network namespace, which an ordinary user cannot enter: for its interfaces, its connections. */
  interfaces: 32,
  connections: 33,
  /**
   * Events by which the process of a container that takes another's place is told to begin, and that it need not wait for the other's
   * end.
   */
  go: 34,
  beside: 35,
} as const;

/** First descriptor that the launcher may pass without a fixed meaning, or the kernel gives: all below it are taken. */
export const FIRST_FREE_FD = 36;

function defines(prefix: string, table: Readonly<Record<string, number>>): string {
  const name = (key: string) => `${prefix}_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
  return Object.entries(table)
    .map(([key, value]) => `#define ${name(key)} ${value}\n`)
    .join('');
}

/** The text of abi.h, included by every file of the shim. */
export function renderAbiHeader(): string {
  return [
    '/* Generated from src/kernel/program/abi.ts; do not edit. */',
    '#pragma once',
    '#include <stdint.h>',
    '',
    `#define PROGRAM_MAGIC ${PROGRAM_MAGIC}u`,
    `#define FIRST_FREE_FD ${FIRST_FREE_FD}`,
    defines('KIND', OPERATIONS),
    defines('OPERAND', OPERAND_KINDS),
    defines('ROLE', ROLES),
    defines('FRAME', FRAMES),
    defines('ATTACH', ATTACH),
    defines('FD', FDS),
    declareStruct('program_header', HEADER),
    declareStruct('section', SECTION),
    declareStruct('instruction', INSTRUCTION),
    declareStruct('forward_rule', FORWARD_RULE),
    declareStruct('frame', FRAME),
    declareStruct('failure', FAILURE),
  ].join('\n');
}
