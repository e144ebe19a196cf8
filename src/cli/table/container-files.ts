import { type CommandTable, command } from '../command.ts';
import { CONTAINER, FORMAT, NO_TRUNC, QUIET } from './arguments.ts';

const SNAPSHOTS = {
  snapshot: { help: 'Names, ids or beginnings of ids', completes: 'snapshot', variadic: true },
} as const;

/** Commands on the files of a container. */
export const CONTAINER_FILE_COMMANDS = {
  cp: command({
    summary: 'Copy files between a running container and the host',
    description:
      'One of both is CONTAINER:PATH, the other a path of the host, or - for a tar on stdin or stdout.\n' +
      'A directory that is there takes the source in under its own name; any other path becomes it. DIRECTORY/. is what it holds.',
    options: {
      archive: { type: 'boolean', short: 'a', help: 'Keep owners' },
      followLink: { type: 'boolean', short: 'L', help: 'Copy what the source leads to when it is a link' },
    },
    arguments: {
      source: { help: 'What to copy' },
      target: { help: 'Where to' },
    },
    examples: [
      { command: 'mayfly cp seed.sql db:/tmp/', does: 'Copies a file of the host to /tmp/seed.sql' },
      { command: 'mayfly cp db:/var/log - > log.tar', does: 'Writes a tar of a directory' },
    ],
    load: () => import('../commands/cp.ts'),
  }),
  diff: command({
    summary: 'Show the paths that a container has added (A), changed (C) or deleted (D)',
    arguments: { container: CONTAINER },
    examples: [{ command: 'mayfly diff db', does: 'Shows what it has written, by path' }],
    load: () => import('../commands/diff.ts'),
  }),
  commit: command({
    summary: 'Make an image of a container and what it has written',
    options: {
      author: { type: 'string', short: 'a', value: 'NAME', help: 'Author of the image' },
      message: { type: 'string', short: 'm', value: 'TEXT', help: 'What stands in its history' },
      change: { type: 'list', short: 'c', value: 'LINE', help: 'Dockerfile line, such as CMD ["serve"]' },
      pause: { type: 'boolean', short: 'p', help: 'Stop all processes meanwhile, which is the default' },
      noPause: { type: 'boolean', help: 'Let processes run meanwhile; files may be torn' },
    },
    arguments: { container: CONTAINER, image: { help: 'Name of the image', optional: true } },
    examples: [
      { command: 'mayfly commit -c \'CMD ["serve"]\' db my/db:seeded', does: 'Makes the image my/db:seeded' },
    ],
    load: () => import('../commands/commit.ts'),
  }),
  export: command({
    summary: "Write a container's file system as a tar",
    options: {
      output: { type: 'string', short: 'o', value: 'FILE', help: 'Where to write it (default: stdout)' },
    },
    arguments: { container: CONTAINER },
    examples: [{ command: 'mayfly export -o db.tar db', does: 'Writes its image and what it has written' }],
    load: () => import('../commands/export.ts'),
  }),
  'snapshot ls': command({
    summary: 'List snapshots of containers',
    options: { format: FORMAT, noTrunc: NO_TRUNC, quiet: QUIET },
    examples: [{ command: 'mayfly snapshot ls', does: 'Lists them, the newest first' }],
    load: () => import('../commands/snapshot-ls.ts'),
  }),
  'snapshot create': command({
    summary: 'Keep what a container has written as it is at this instant',
    arguments: { container: CONTAINER, name: { help: 'Name of the snapshot' } },
    examples: [{ command: 'mayfly snapshot create db filled', does: 'Keeps the state of db as filled' }],
    load: () => import('../commands/snapshot-create.ts'),
  }),
  'snapshot start': command({
    summary: 'Start containers that begin with what a snapshot holds, and print their ids',
    description: 'They go on without this shell. mayfly run NAME does the same in its foreground.',
    arguments: SNAPSHOTS,
    examples: [{ command: 'mayfly snapshot start filled', does: 'Starts one more from the state filled' }],
    load: () => import('../commands/snapshot-start.ts'),
  }),
  'snapshot rm': command({
    summary: 'Remove snapshots that nothing stands on',
    arguments: SNAPSHOTS,
    examples: [{ command: 'mayfly snapshot rm filled', does: 'Removes it' }],
    load: () => import('../commands/snapshot-rm.ts'),
  }),
} satisfies CommandTable;
