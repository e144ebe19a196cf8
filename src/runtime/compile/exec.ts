import { CLONE } from '../../kernel/mounts/flags.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { flags, ProgramBuilder } from '../../kernel/program/builder.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import type { IdSpec, ProcessSpec } from '../spec/container-spec.ts';
import { type ExecCgroup, joinCgroup, reopenCgroup } from './cgroup.ts';
import { groundOf } from './ground.ts';
import { becomeProcess } from './process.ts';
import { openMasterInContainer, useTerminal } from './terminal.ts';

export interface ExecSpec {
  readonly process: ProcessSpec;
  readonly cgroup: ExecCgroup;
  readonly ids: IdSpec;
  /** True when the container shares the host's network namespace. */
  readonly hostNetwork: boolean;
  /** True when it has a time namespace of its own. */
  readonly ownClocks: boolean;
}

/** The program that runs one more process in a container whose first process is held by the pidfd on fd 9. */
export function compileExec({ process, cgroup, ids, hostNetwork, ownClocks }: ExecSpec): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const payload = program.section('payload', 'payload');

  // 1. While the host's tree is in sight.
  const open = reopenCgroup(shim, cgroup);

  // 2. All namespaces in one call, by pidfd, so that a recycled pid cannot be meant (setns(2), Linux 5.8).
  const entered = flags(
    CLONE,
    ...(['CLONE_NEWNS', 'CLONE_NEWIPC', 'CLONE_NEWUTS', 'CLONE_NEWPID', 'CLONE_NEWCGROUP'] as const),
    ...(groundOf(ids).enterUserns === 'first' ? (['CLONE_NEWUSER'] as const) : []),
    ...(hostNetwork ? [] : (['CLONE_NEWNET'] as const)),
    ...(ownClocks ? (['CLONE_NEWTIME'] as const) : []),
  );
  shim.call('setns', [FDS.pidfd, entered], { what: 'enter the namespaces' });
  shim.clone(payload, flags(CLONE), {
    what: 'clone the payload',
    ...(open.unified ? { cgroup: open.unified } : {}),
  });

  // 3. In the container.
  joinCgroup(payload, open);
  const { terminal } = process;
  if (terminal !== undefined) useTerminal(payload, openMasterInContainer(payload), terminal);
  becomeProcess(payload, { ...process, ids });
  return program.build({ attach: terminal === undefined ? [] : ['client', 'terminal'] });
}
