import { type InRoot, openInRoot } from '../../kernel/mounts/in-root.ts';
import { FDS } from '../../kernel/program/abi.ts';
import type { SectionBuilder } from '../../kernel/program/builder.ts';
import type { Result } from '../../kernel/program/instruction.ts';

/**
 * Has overlay copy files up while the payload is being linked: a process beside it opens each of them for writing, which is when a
 * file is copied (overlayfs.rst, "Non-directories"). One that is not there, or not a file any longer, ends it, and is nobody's loss.
 */
export function copyAhead(
  section: SectionBuilder,
  { root, paths }: { root: Result; paths: readonly string[] },
): void {
  // The payload has started when nobody holds it any longer.
  section.call('close', [FDS.report], { what: 'leave the report to the payload' });
  const tree: InRoot = { section, root };
  for (const path of paths) {
    openInRoot(tree, path, {
      flags: ['O_RDWR', 'O_NONBLOCK', 'O_NOCTTY'],
      refuseLinks: true,
      refuseMounts: true,
      tolerate: ['ENOENT', 'ELOOP', 'EXDEV', 'ETXTBSY'],
    });
  }
  section.call('exit_group', [0], { what: 'be done' });
}
