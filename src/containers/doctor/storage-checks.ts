import { freeSpace, shareBlocks } from '../../kernel/probe/file-system.ts';
import { idmappedMount } from '../../kernel/probe/idmapped-mount.ts';
import { overlay } from '../../kernel/probe/overlay.ts';
import { formatByteSize } from '../../support/byte-size.ts';
import type { Check, Examination, Examine } from './check.ts';
import { describeFailure } from './describe-failure.ts';
import { makeScratch, type Scratch } from './laboratory.ts';

/** A Debian with a database in it, and room for what a test writes. */
const BYTES_WANTED = 2 * 2 ** 30;
const INODES_WANTED = 100_000;

/** The file system that layers and containers lie on. */
export const examineStorage: Examine = async (examination) => {
  const { root } = examination.home;
  const common = { id: 'home', group: 'storage' } as const;
  let scratch: Scratch;
  try {
    scratch = makeScratch(root);
  } catch (error) {
    return [
      {
        ...common,
        status: 'missing',
        found: `${root} cannot be written to: ${(error as NodeJS.ErrnoException).code}`,
        effect: 'there is no place for images and containers',
        fix: 'set MAYFLY_HOME to a directory on a local disk that this user may write to',
      },
    ];
  }
  using _ = scratch;
  const { directory } = scratch;
  return [
    { ...common, status: 'ok', found: root },
    await overlayOn(examination, directory),
    ...(examination.rung === 'root' ? [await idmapped(examination, directory)] : []),
    reflink(directory),
    space(directory),
  ];
};

async function overlayOn({ laboratory, user }: Examination, directory: string): Promise<Check> {
  const outcome = await laboratory.attempt(overlay(directory, user));
  const common = { id: 'overlay', group: 'storage' } as const;
  if (outcome.works)
    return { ...common, status: 'ok', found: user.apart ? 'in a user namespace' : 'can be mounted' };
  return {
    ...common,
    status: 'missing',
    found: describeFailure(outcome),
    effect: 'no container starts',
    fix:
      outcome.errno === 'ENODEV'
        ? 'modprobe overlay'
        : 'set MAYFLY_HOME to a directory on ext4, xfs or btrfs: an overlay cannot lie on another, nor on NFS',
  };
}

async function idmapped({ laboratory }: Examination, directory: string): Promise<Check> {
  const outcome = await laboratory.inUserNamespace((pid) => idmappedMount(directory, pid));
  const common = { id: 'idmapped-mounts', group: 'storage' } as const;
  if (outcome.works) return { ...common, status: 'ok', found: 'can be made' };
  return {
    ...common,
    status: 'lacking',
    found: describeFailure(outcome),
    effect: 'containers cannot have ids of their own',
    fix: 'put MAYFLY_HOME on ext4, xfs or btrfs, with Linux 5.19 or later',
  };
}

/** No shortfall: a copy does as well, only later. */
function reflink(directory: string): Check {
  const found = shareBlocks(directory).works ? 'copies share their blocks' : 'copies take their own space';
  return { id: 'reflink', group: 'storage', status: 'ok', found };
}

function space(directory: string): Check {
  const { bytes, inodes } = freeSpace(directory);
  const common = { id: 'disk-space', group: 'storage' } as const;
  const found = `${formatByteSize(bytes)} free${inodes < INODES_WANTED ? `, ${inodes} inodes` : ''}`;
  if (bytes >= BYTES_WANTED && inodes >= INODES_WANTED) return { ...common, status: 'ok', found };
  return {
    ...common,
    status: 'lacking',
    found,
    effect: 'images may not fit',
    fix: 'free some space, or set MAYFLY_HOME to a directory on another disk',
  };
}
