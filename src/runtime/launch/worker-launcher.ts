import type { WorkerCommand, WorkerLauncher } from '../../files/launcher.ts';
import { CLONE } from '../../kernel/mounts/flags.ts';
import { FDS, FIRST_FREE_FD } from '../../kernel/program/abi.ts';
import { flags, ProgramBuilder, strings } from '../../kernel/program/builder.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { keepCapabilities } from '../compile/set-capabilities.ts';
import { enterUserNamespace } from '../compile/user-namespace.ts';
import { ShimProcess } from './shim-process.ts';

const SIGKILL = 9;

/** What it takes to make any file and to give it to anybody, and to enter the root. */
const FILE_CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
] as const;

/**
 * The launcher of file workers in a user namespace: a shim enters it and executes the worker there, and both end with this
 * process. `open` is asked for the namespace when there is work to do, and what it gives is disposed of.
 */
export function launchInUserNamespace(
  binary: ShimBinary,
  open: () => { readonly fd: number | undefined } & Disposable,
): WorkerLauncher {
  return (command) => {
    using userns = open();
    const shim = new ShimProcess({
      binary,
      compile: () => compileWorker(command),
      fds: { userns: userns.fd! },
      passed: [...command.fds.values()],
      label: 'file worker',
    });
    return {
      kill: () => shim.signal(SIGKILL),
      async ended() {
        await shim.started;
        await shim.exited;
      },
    };
  };
}

export function compileWorker({ path, argv, fds }: WorkerCommand): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const worker = program.section('worker', 'payload');
  enterUserNamespace(shim);
  shim.clone(worker, flags(CLONE), { what: 'clone the worker' });

  const targets = [...fds.keys()];
  for (const [i, fd] of targets.entries())
    worker.call('dup3', [FIRST_FREE_FD + i, fd, 0], { what: `set fd ${fd}` });
  worker.call('close_range', [Math.max(...targets) + 1, FDS.report - 1, 0], {
    what: 'close what it must not have',
  });
  worker.call('close_range', [FDS.report + 1, 0xffff_ffff, 0], { what: 'close the rest' });
  worker.call('chdir', ['/'], { what: 'enter /' });
  // The host's root is not the namespace's, and would have none after execve. It becomes that when it has loaded its modules,
  // which may lie where the host's root alone can read them.
  keepCapabilities(worker, FILE_CAPABILITIES);
  worker.call('execve', [path, strings(argv), strings([])], { what: `execute ${path}` });
  return program.build();
}
