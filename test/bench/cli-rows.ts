import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { BUILT } from '../fixtures/cli.ts';
import { PEER_SETTLE } from './peer.ts';
import { milliseconds, type Row, toRow } from './sample.ts';

const ROUNDS = 30;
const WARM_UP = 3;
/** In which the kernel takes apart what the round before has left. */
const SETTLE = 50;

interface Program {
  readonly row: string;
  readonly words: readonly string[];
  /** What the peer is given. */
  readonly docker: readonly string[];
}

/** Rows `cli-version` and `cli-run`: whole processes of the built command line, beside `node -e 0` and docker's. */
export async function cliRows(image: string, wants: (row: string) => boolean): Promise<Row[]> {
  const programs: Program[] = [
    { row: 'cli-version', words: ['version'], docker: ['version'] },
    {
      row: 'cli-run',
      words: ['run', '--rm', image, 'true'],
      docker: ['run', '--rm', 'debian:bookworm-slim', 'true'],
    },
  ];
  const peer = await hasDocker();
  const rows: Row[] = [];
  for (const { row, words, docker } of programs.filter((program) => wants(program.row))) {
    const figures = { ours: [] as number[], floor: [] as number[], peer: [] as number[] };
    for (let round = -WARM_UP; round < ROUNDS; round += 1) {
      const target = round < 0 ? { ours: [], floor: [], peer: [] } : figures;
      target.floor.push(await timed([process.execPath, '-e', '0']));
      target.ours.push(await timed([...BUILT, ...words]));
      await delay(SETTLE);
      if (!peer || round % 2 !== 0) continue;
      target.peer.push(await timed(['docker', ...docker]));
      await delay(PEER_SETTLE);
    }
    rows.push(toRow(row, figures));
  }
  return rows;
}

/** Milliseconds from before the start of a program until its end has been noticed. */
async function timed([file, ...args]: readonly string[]): Promise<number> {
  // Some machines have Node read certificates before anything else, which takes longer than all that is measured here.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  let exitCode: unknown;
  const time = await milliseconds(async () => {
    [exitCode] = await once(spawn(file!, args, { stdio: ['ignore', 'ignore', 'inherit'], env }), 'exit');
  });
  if (exitCode !== 0) throw new Error(`${[file, ...args].join(' ')} ended with ${exitCode}`);
  return time;
}

async function hasDocker(): Promise<boolean> {
  if (process.env.DOCKER_HOST === undefined) return false;
  return !(await execa('docker', ['version'], { reject: false })).failed;
}
