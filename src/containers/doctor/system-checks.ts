import { cpus, release, totalmem } from 'node:os';
import { enclosingContainer } from '../../kernel/probe/inside-container.ts';
import { openFilesLimits } from '../../kernel/probe/open-files.ts';
import { readProcessStatus } from '../../kernel/probe/process-status.ts';
import { missingSystemCalls } from '../../kernel/probe/system-calls.ts';
import { formatByteSize } from '../../support/byte-size.ts';
import type { Check, Examine } from './check.ts';

/** Sockets and logs of some hundred containers in one process. */
const OPEN_FILES_WANTED = 1024;

/** The kernel, and what surrounds this process. */
export const examineSystem: Examine = () => [
  kernel(),
  {
    id: 'machine',
    group: 'system',
    status: 'ok',
    found: `${cpus().length} CPUs, ${formatByteSize(totalmem())}`,
  },
  surroundings(),
  openFiles(),
];

function kernel(): Check {
  const missing = missingSystemCalls();
  const common = { id: 'kernel', group: 'system' } as const;
  if (missing.length === 0) return { ...common, status: 'ok', found: `Linux ${release()}` };
  const filtered = readProcessStatus().seccompFilter;
  return {
    ...common,
    status: 'missing',
    found: `Linux ${release()} without ${missing.join(', ')}`,
    effect: 'no container starts',
    fix: filtered
      ? 'a seccomp filter hides them: run the enclosing container with --security-opt seccomp=unconfined'
      : 'boot Linux 5.12 or later',
  };
}

function surroundings(): Check {
  const container = enclosingContainer();
  const { seccompFilter, noNewPrivileges } = readProcessStatus();
  const signs = [
    ...(container === undefined ? [] : [`inside a container (${container})`]),
    ...(seccompFilter ? ['under a seccomp filter'] : []),
    ...(noNewPrivileges ? ['without new privileges'] : []),
  ];
  return {
    id: 'surroundings',
    group: 'system',
    status: 'ok',
    found: signs.length === 0 ? 'no enclosing container, no seccomp filter' : signs.join(', '),
  };
}

function openFiles(): Check {
  const { soft, hard } = openFilesLimits();
  const common = { id: 'open-files', group: 'system', found: `${soft}, at most ${hard}` } as const;
  if (hard >= OPEN_FILES_WANTED) return { ...common, status: 'ok' };
  return {
    ...common,
    status: 'lacking',
    effect: 'few containers at once, and few open files in each',
    fix: `ulimit -Hn ${OPEN_FILES_WANTED * 1024}, or LimitNOFILE= of the service that runs the tests`,
  };
}
