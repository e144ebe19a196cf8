import { randomBytes } from 'node:crypto';
import { CommandError } from '../../runtime/launch/command-error.ts';
import type { ShimProcess } from '../../runtime/launch/shim-process.ts';
import { KILLED } from '../../runtime/launch/supervision.ts';
import type { ContainerParts } from '../container-parts.ts';
import { tell } from './tell.ts';

/** Tells of a command that has been launched in a container; of its end, too, as long as this process sees that. */
export function tellExec(
  parts: ContainerParts,
  { argv, shim }: { argv: readonly string[]; shim: Pick<ShimProcess, 'started' | 'exited'> },
): void {
  const command = argv.join(' ');
  const execID = randomBytes(32).toString('hex');
  tell(
    parts,
    { action: `exec_create: ${command}`, attributes: { execID } },
    { action: `exec_start: ${command}`, attributes: { execID } },
  );
  const ended = (exitCode: number) =>
    tell(parts, { action: 'exec_die', attributes: { execID, exitCode: String(exitCode) } });
  shim.started.then(
    () => shim.exited.then(({ exitCode }) => ended(exitCode)),
    (error: unknown) => ended(error instanceof CommandError ? error.exitCode : KILLED),
  );
}
