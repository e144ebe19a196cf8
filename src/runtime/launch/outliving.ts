import { writeSync } from 'node:fs';
import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { CLONE } from '../../kernel/mounts/flags.ts';
import { closingAfter, openPipe } from '../../kernel/processes/pipe.ts';
import { FIRST_FREE_FD } from '../../kernel/program/abi.ts';
import { flags, ProgramBuilder, type SectionBuilder } from '../../kernel/program/builder.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { ShimProcess } from './shim-process.ts';
import type { SpawnShimOptions } from './spawn-shim.ts';

// <linux/prctl.h>
const PR = { PR_SET_PDEATHSIG: 1 } as const;

/** A process of its own that does the last of what is to be done, whatever becomes of this one. */
export interface Outliving {
  /** Its host pid. */
  readonly pid: number;
  /** Has it do the last; resolves when that is done. */
  finish(): Promise<void>;
}

export interface OutlivingOptions {
  readonly binary: ShimBinary;
  readonly fds?: SpawnShimOptions['fds'];
  /** A descriptor that the instructions name as FIRST_FREE_FD + 1. It stays open here. */
  readonly passed?: number;
  /** Second word of the command line, for people who look at `ps`. */
  readonly label: string;
  /** Instructions for the shim before it clones the process. Default: none. */
  readonly enter?: (shim: SectionBuilder) => void;
  /** What is done before `startOutliving` resolves, or a little later. Default: nothing. */
  readonly first?: (section: SectionBuilder) => void;
  /** What is done when this process says so, or has ended. */
  readonly last: (section: SectionBuilder) => void;
}

/** Starts it. @throws ProgramError */
export async function startOutliving(options: OutlivingOptions): Promise<Outliving> {
  const { binary, fds = {}, label } = options;
  const { read, write } = openPipe();
  const passed = options.passed === undefined ? [read] : [read, options.passed];
  const shim = closingAfter(
    [read],
    () => new ShimProcess({ binary, compile: () => compile(options), fds, passed, label }),
  );
  const finish = async () => {
    closeDescriptor(write);
    shim.ref();
    await shim.exited;
  };
  try {
    const pid = await shim.started;
    // Before anything is done, so that there is no instant at which our end would be its end.
    shim.detach();
    writeSync(write, 'x');
    return { pid, finish };
  } catch (error) {
    await finish();
    throw error;
  }
}

function compile({ enter, first, last }: OutlivingOptions): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const section = program.section('outliving', 'payload');
  enter?.(shim);
  shim.clone(section, flags(CLONE), { what: 'clone the process' });
  const wait = (what: string) => section.call('read', [FIRST_FREE_FD, Buffer.alloc(8), 1], { what });
  section.call('prctl', [flags(PR, 'PR_SET_PDEATHSIG'), 0, 0, 0, 0], { what: 'outlive whoever started it' });
  section.call('close_range', [0, FIRST_FREE_FD - 1, 0], { what: 'close everything but the pipe' });
  wait('wait for the word');
  first?.(section);
  wait('wait for the end');
  last(section);
  section.call('exit_group', [0]);
  return program.build();
}
