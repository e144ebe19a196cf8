import { dirname, join } from 'node:path';
import { AT, AT_FDCWD, O } from '../../kernel/mounts/flags.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { buffer, flags, type SectionBuilder } from '../../kernel/program/builder.ts';
import type { Program, Result } from '../../kernel/program/instruction.ts';
import type { CgroupSpec } from '../spec/container-spec.ts';
import { openHostFile, pin } from './host-file.ts';

/** Room for memory.events or memory.oom_control; both are a few short lines. */
const OOM_REPORT_SIZE = 512;
/** Slot of the program's report that holds the text of the OOM file. */
export const OOM_REPORT = 'oom';
/** What a cgroup says that is not there or not empty. */
const GONE = ['ENOENT', 'EBUSY', 'ENOTEMPTY', 'ENODEV'];

/** Descriptors by which a process gets into its cgroups. */
export interface OpenCgroup {
  /** For clone; undefined where there is no cgroup2. */
  readonly unified: Result | undefined;
  readonly join: readonly Result[];
}

/** In the shim, before a start's clone. */
export function openCgroup(shim: SectionBuilder, { unified, joinFiles }: CgroupSpec): OpenCgroup {
  const files = joinFiles.map((path) => openHostFile(shim, path, ['O_WRONLY']));
  return { join: files, unified: openUnified(shim, unified) };
}

/** In the shim of an exec: whatever cgroups the container is in by now, as an update may have added some. */
export function reopenCgroup(shim: SectionBuilder, { unified, possible }: ExecCgroup): OpenCgroup {
  const files = possible
    .filter((directory) => directory !== unified)
    .map((directory) =>
      openHostFile(shim, join(directory, 'cgroup.procs'), ['O_WRONLY'], { tolerate: ['ENOENT'] }),
    );
  return { join: files, unified: openUnified(shim, unified) };
}

export type ExecCgroup = Pick<CgroupSpec, 'unified' | 'possible'>;

/** In the process itself, for v1; in cgroup2 it is born. */
export function joinCgroup(section: SectionBuilder, { join: files }: OpenCgroup): void {
  for (const file of files) section.call('write', [file, '0', 1], { what: 'join the cgroup' });
}

/**
 * Has the kernel tell the shim of every OOM kill, by fd `notice`.
 *
 * cgroup2's memory.events polls; v1 has an eventfd counted up (cgroup-v1/memory.rst, 9 and 10; cgroup-v2.rst).
 */
export function watchOom(shim: SectionBuilder, { oomFile, oomNotice }: CgroupSpec): Program['notice'] {
  if (oomFile === undefined || oomNotice === undefined) return undefined;
  if (oomNotice === 'v2') {
    pin(shim, FDS.notice, openHostFile(shim, oomFile, ['O_RDONLY']));
    return 'priority';
  }
  const event = shim.call('eventfd2', [0, flags(O, 'O_CLOEXEC')], {
    what: 'make an OOM event',
  });
  pin(shim, FDS.notice, event);
  pin(shim, FDS.noticeSource, openHostFile(shim, oomFile, ['O_RDONLY']));
  const control = openHostFile(shim, join(dirname(oomFile), 'cgroup.event_control'), ['O_WRONLY']);
  const line = `${FDS.notice} ${FDS.noticeSource}`;
  shim.call('write', [control, line, line.length], { what: 'ask for OOM events' });
  return 'readable';
}

/** When everything inside is dead. Nobody may be left to care, so nothing here may fail. */
export function leaveCgroup(section: SectionBuilder, { oomFile, possible }: CgroupSpec): void {
  const report = buffer(OOM_REPORT_SIZE, OOM_REPORT);
  const file = openHostFile(section, oomFile ?? '/dev/null', ['O_RDONLY'], {
    what: 'open the OOM count',
    tolerate: GONE,
  });
  section.call('read', [file, report, OOM_REPORT_SIZE - 1], { what: 'read the OOM count', tolerate: GONE });
  for (const directory of possible) {
    section.call('unlinkat', [AT_FDCWD, directory, flags(AT, 'AT_REMOVEDIR')], {
      what: `remove ${directory}`,
      tolerate: GONE,
    });
  }
}

function openUnified(shim: SectionBuilder, unified: string | undefined): Result | undefined {
  return unified === undefined ? undefined : openHostFile(shim, unified, ['O_PATH', 'O_DIRECTORY']);
}
