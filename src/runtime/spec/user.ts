import { MayflyError } from '../../support/error.ts';
import type { UserIds } from './container-spec.ts';

/** What is known of users inside one rootfs. `undefined` means the image has no such file. */
export interface UserDatabase {
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

export interface ResolvedUser extends UserIds {
  readonly home: string;
}

const MAX_ID = 2 ** 31 - 1;

/**
 * Resolves `user[:group]`, each a name or a number, by the image's own passwd(5) and group(5).
 *
 * A number is never looked up as a name and has to fit 31 bits (CVE-2024-40635, CVE-2026-46680).
 *
 * @param more groups that it is in as well, names or numbers
 * @throws MayflyError `option.unknown-user`
 */
export function resolveUser(
  database: UserDatabase,
  text: string,
  more: readonly string[] = [],
): ResolvedUser {
  const [userPart = '', groupPart] = text === '' ? ['0'] : splitOnce(text);
  const users = records(database.passwd);
  const groups = records(database.group);
  const uid = parseId(userPart);
  const entry = users.find((fields) =>
    uid === undefined ? fields[0] === userPart : Number(fields[2]) === uid,
  );
  if (uid === undefined && entry === undefined) throw unknown('user', userPart);
  const gid = groupPart === undefined ? Number(entry?.[3] ?? 0) : resolveGroup(groups, groupPart);
  // Only somebody with a name is a member of groups, and only when no group was asked for, as in Docker.
  const supplementary =
    groupPart === undefined && entry !== undefined
      ? groups
          .filter((fields) => fields[3]?.split(',').includes(entry[0]!))
          .map((fields) => Number(fields[2]))
      : [];
  return {
    uid: uid ?? Number(entry![2]),
    gid,
    groups: [...new Set([gid, ...supplementary, ...more.map((group) => resolveGroup(groups, group))])],
    home: entry?.[5] || '/',
  };
}

function resolveGroup(groups: readonly string[][], text: string): number {
  const gid = parseId(text) ?? groups.find((fields) => fields[0] === text)?.[2];
  if (gid === undefined) throw unknown('group', text);
  return Number(gid);
}

/** Undefined for a name. */
function parseId(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0 || id > MAX_ID) throw unknown('id', text);
  return id;
}

function splitOnce(text: string): string[] {
  const at = text.indexOf(':');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** Lines whose numbers are numbers; the image may hold anything. */
function records(text: string | undefined): string[][] {
  return (text ?? '')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => /^\d{1,10}$/.test(fields[2] ?? '') && Number(fields[2]) <= MAX_ID);
}

function unknown(kind: string, text: string): MayflyError {
  return new MayflyError('option.unknown-user', `no ${kind} ${JSON.stringify(text)} in this image`, {
    hint: 'name a user of the image, or a number from 0 to 2147483647',
  });
}
