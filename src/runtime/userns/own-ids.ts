import { userInfo } from 'node:os';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { type IdMaps, type MappedRange, mapWithOwn } from '../../kernel/namespaces/id-map.ts';
import { subordinateIds } from '../../kernel/probe/subordinate-ids.ts';
import { runTool } from '../../kernel/processes/run-tool.ts';
import { MayflyError } from '../../support/error.ts';

/**
 * The maps of an ordinary user: root inside is the user, the other ids are those of /etc/subuid and /etc/subgid.
 *
 * @throws MayflyError `host.no-subordinate-ids`
 */
export function ownIdMaps(): IdMaps {
  const user = whoAmI();
  const maps = {
    uids: mapWithOwn(user.uid, subordinateIds('subuid', user)),
    gids: mapWithOwn(user.gid, subordinateIds('subgid', user)),
  };
  if (maps.uids.length > 1 && maps.gids.length > 1) return maps;
  throw new MayflyError(
    'host.no-subordinate-ids',
    `${user.name} has no ids of his own in ${maps.uids.length > 1 ? '/etc/subgid' : '/etc/subuid'}, of which a container needs some thousands`,
    {
      hint: `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user.name} (a range that no other line there has)`,
    },
  );
}

/** How many ids there are inside: the least of both kinds. */
export function countIds({ uids, gids }: IdMaps): number {
  const end = (ranges: readonly MappedRange[]) =>
    Math.max(...ranges.map(({ inside, count }) => inside + count));
  return Math.min(end(uids), end(gids));
}

/**
 * Sets the maps by newuidmap(1) and newgidmap(1), which may do for an ordinary user what /etc/subuid grants.
 *
 * @throws MayflyError `host.no-newuidmap`, `host.userns-refused`
 */
export function mapOwnIds(pid: number, { uids, gids }: IdMaps): void {
  run('newuidmap', [pid, ...numbers(uids)]);
  run('newgidmap', [pid, ...numbers(gids)]);
}

function numbers(ranges: readonly MappedRange[]): number[] {
  return ranges.flatMap(({ inside, outside, count }) => [inside, outside, count]);
}

function run(tool: string, args: readonly number[]): void {
  try {
    runTool(tool, args.map(String));
  } catch (cause) {
    if (isErrno(cause, 'ENOENT'))
      throw new MayflyError('host.no-newuidmap', `${tool} is not installed`, {
        cause,
        hint: 'apt-get install uidmap',
      });
    throw new MayflyError('host.userns-refused', (cause as Error).message, {
      cause,
      hint: 'see /etc/subuid and /etc/subgid; newuidmap and newgidmap have to be setuid root or have CAP_SETUID and CAP_SETGID',
    });
  }
}

/** A uid need not have a name. */
function whoAmI(): { name: string; uid: number; gid: number } {
  const [uid, gid] = [process.geteuid!(), process.getegid!()];
  try {
    return { name: userInfo().username, uid, gid };
  } catch {
    return { name: String(uid), uid, gid };
  }
}
