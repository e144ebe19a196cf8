import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ContainerParts } from '../../../../src/containers/container-parts.ts';
import { tell } from '../../../../src/containers/told/tell.ts';
import { ToldFile } from '../../../../src/containers/told/told-file.ts';
import { toldPath } from '../../../../src/runtime/state/container-store.ts';
import { locateHome } from '../../../../src/support/home.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'told-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const home = () => locateHome({ MAYFLY_HOME: root });
const parts = (id: string) =>
  ({
    engine: { home: home() },
    record: { restarts: 2, spec: { id } },
    run: { exit: undefined },
  }) as unknown as ContainerParts;

function make(id: string): string {
  const path = toldPath(home(), id);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  return path;
}

test('what is told is read once, also when the container has gone meanwhile', () => {
  make('a');
  using file = ToldFile.open(home(), 'a')!;
  expect(file.next()).toEqual([]);
  tell(parts('a'), { action: 'pause' }, { action: 'exec_die', attributes: { exitCode: '1' } });
  rmSync(home().containers, { recursive: true });
  expect(file.next()).toMatchObject([
    { id: 'a', run: 2, ended: false, action: 'pause', attributes: {} },
    { id: 'a', run: 2, ended: false, action: 'exec_die', attributes: { exitCode: '1' } },
  ]);
  expect(file.next()).toEqual([]);
});

test('nothing fails, and nothing is made, where a container has gone', () => {
  tell(parts('gone'), { action: 'pause' });
  expect(ToldFile.open(home(), 'gone')).toBeUndefined();
});

test('half a line waits for the other half, and what is no line is skipped', () => {
  const path = make('a');
  using file = ToldFile.open(home(), 'a')!;
  appendFileSync(path, 'rubbish\n{"id":"a","act');
  expect(file.next()).toEqual([]);
  appendFileSync(path, 'ion":"stop"}\n');
  expect(file.next()).toEqual([{ id: 'a', action: 'stop' }]);
});

test('what another container has been told of, whose directory it was, is not this one', () => {
  const path = make('a');
  using file = ToldFile.open(home(), 'a')!;
  appendFileSync(path, '{"id":"spare","action":"pause"}\n');
  expect(file.next()).toEqual([]);
});

test('a file that has become long makes room, and the reader goes on with what comes then', () => {
  const path = make('a');
  using file = ToldFile.open(home(), 'a')!;
  appendFileSync(path, `${'x'.repeat(1 << 20)}\n`);
  expect(file.next()).toEqual([]);
  tell(parts('a'), { action: 'pause' });
  expect(file.next()).toMatchObject([{ action: 'pause' }]);
});
