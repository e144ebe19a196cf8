import { closeSync, openSync, writeFileSync } from 'node:fs';
import { syscall } from '../ffi/libc.ts';
import { AT, O, OPEN_TREE } from '../mounts/flags.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';
import { failureOf, type Outcome, WORKS } from './throwaway.ts';

const MOUNT_ATTR_IDMAP = 0x10_0000;
/** struct mount_attr: attributes to set, to clear, propagation, descriptor of the user namespace. */
const MOUNT_ATTR_SIZE = 32;

/** Any range of ids other than the same. */
const MAP = '0 100000 65536';

/**
 * A mount of `directory`, attached nowhere, with the ids of the user namespace of process `pid`, which gets a map by this
 * (mount_setattr(2), user_namespaces(7)).
 */
export function idmappedMount(directory: string, pid: number): Outcome {
  const number = (name: string) => syscallNumber(process.arch as Architecture, name)!;
  const open: number[] = [];
  try {
    for (const kind of ['uid', 'gid']) writeFileSync(`/proc/${pid}/${kind}_map`, MAP);
    const namespace = openSync(`/proc/${pid}/ns/user`, O.O_RDONLY);
    open.push(namespace);
    const how = OPEN_TREE.OPEN_TREE_CLONE | OPEN_TREE.OPEN_TREE_CLOEXEC;
    const tree = syscall(number('open_tree'), [-1, directory, how], `bind ${directory}`);
    open.push(tree);
    const attributes = Buffer.alloc(MOUNT_ATTR_SIZE);
    attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_IDMAP), 0);
    attributes.writeBigUInt64LE(BigInt(namespace), 24);
    const args = [tree, '', AT.AT_EMPTY_PATH, attributes, MOUNT_ATTR_SIZE];
    syscall(number('mount_setattr'), args, 'map the ids of a mount');
    return WORKS;
  } catch (error) {
    const failure = failureOf(error);
    return failure.step === 'write' ? { ...failure, step: 'map the ids of a user namespace' } : failure;
  } finally {
    for (const fd of open) closeSync(fd);
  }
}
