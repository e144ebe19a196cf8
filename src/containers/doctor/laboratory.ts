import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pausedUserNamespace } from '../../kernel/probe/namespaces.ts';
import { OVERLAY_PARTS } from '../../kernel/probe/overlay.ts';
import { type Failure, failureOf, type Outcome, WORKS } from '../../kernel/probe/throwaway.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { ProgramError } from '../../runtime/launch/program-error.ts';
import { ShimProcess } from '../../runtime/launch/shim-process.ts';

/** Where things are tried for real, and where nothing stays. */
export interface Laboratory {
  /** Runs a program that ends by itself. */
  attempt(program: Program): Promise<Outcome>;
  /** Hands out the pid of a process that waits in a new user namespace without a map. */
  inUserNamespace<T>(use: (pid: number) => T | Promise<T>): Promise<T | Failure>;
}

export function openLaboratory(binary: ShimBinary): Laboratory {
  const start = (program: Program) =>
    new ShimProcess({ binary, compile: () => program, fds: {}, label: 'doctor' });
  return {
    async attempt(program) {
      try {
        const shim = start(program);
        await shim.started.finally(() => shim.exited);
        return WORKS;
      } catch (error) {
        if (error instanceof ProgramError) return programFailure(error);
        return failureOf(error);
      }
    },
    async inUserNamespace(use) {
      let shim: ShimProcess | undefined;
      try {
        shim = start(pausedUserNamespace());
        return await use(await shim.started);
      } catch (error) {
        if (error instanceof ProgramError) return programFailure(error);
        return failureOf(error);
      } finally {
        shim?.close();
        await shim?.exited;
      }
    },
  };
}

function programFailure({ instruction, errno }: ProgramError): Failure {
  return { works: false, step: instruction.what, errno };
}

/** A directory with what an overlay takes in it. */
export interface Scratch extends Disposable {
  readonly directory: string;
}

/**
 * A new directory on the file system that `path` is on, or will be on once it exists.
 *
 * @throws what mkdtemp(3) says when none can be made there
 */
export function makeScratch(path: string): Scratch {
  let parent = path;
  while (!existsSync(parent)) parent = dirname(parent);
  const directory = mkdtempSync(join(parent, '.mayfly-doctor-'));
  for (const part of OVERLAY_PARTS) mkdirSync(join(directory, part));
  return {
    directory,
    [Symbol.dispose]: () => {
      // The kernel makes them with no permissions at all, and who is not root could not look into them.
      for (const part of ['work', 'work/incompat', 'work/incompat/volatile']) {
        const path = join(directory, 'work', part);
        if (existsSync(path)) chmodSync(path, 0o700);
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
