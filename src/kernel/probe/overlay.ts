import { AT_FDCWD, MS, O } from '../mounts/flags.ts';
import { flags, octal } from '../program/builder.ts';
import type { Program } from '../program/instruction.ts';
import type { ProbeUser } from './namespaces.ts';
import { becomeNamespaceRoot, throwaway } from './throwaway.ts';

/** What an overlay is made of; a directory with these in it. */
export const OVERLAY_PARTS = ['lower', 'upper', 'work', 'merged'] as const;

/** An overlay in `directory`, which has {@link OVERLAY_PARTS}, and a file written into it. */
export function overlay(directory: string, user: ProbeUser): Program {
  return throwaway(user.apart ? ['CLONE_NEWUSER', 'CLONE_NEWNS'] : ['CLONE_NEWNS'], (section) => {
    if (user.apart) becomeNamespaceRoot(section, user);
    section.call('mount', ['none', '/', 0, flags(MS, 'MS_REC', 'MS_PRIVATE'), 0], {
      what: 'make every mount private',
    });
    section.call('chdir', [directory], { what: `enter ${directory}` });
    // Without CAP_SYS_ADMIN in the first user namespace there are no attributes `trusted.overlay.*` (overlayfs.rst).
    const data = `lowerdir=lower,upperdir=upper,workdir=work,volatile${user.apart ? ',userxattr' : ''}`;
    section.call('mount', ['overlay', 'merged', 'overlay', 0, data], { what: 'mount an overlay' });
    section.call(
      'openat',
      [AT_FDCWD, 'merged/file', flags(O, 'O_WRONLY', 'O_CREAT', 'O_CLOEXEC'), octal(0o600)],
      { what: 'write a file into an overlay' },
    );
  });
}
