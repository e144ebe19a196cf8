import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openHome } from '../../../src/containers/own-home.ts';
import { spreadDirectories } from '../../../src/files/spread.ts';
import { requires } from '../../requires.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mayfly-own-home-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** As lsattr(1) writes them. */
const attributes = (path: string) =>
  execFileSync('lsattr', ['-d', path], { encoding: 'utf8' }).split(' ')[0]!;

requires('chattr-T')('a home that is made', () => {
  test('has containers, snapshots and layers begin apart from each other, and keeps its other attributes', () => {
    const root = join(scratch, 'home');
    mkdirSync(root);
    // Inherited by what is made in it.
    execFileSync('chattr', ['+A', root]);
    const home = openHome({ MAYFLY_HOME: root });
    const { containers, snapshots, layers, ...others } = home;
    for (const directory of [containers, snapshots, layers]) expect(attributes(directory)).toMatch(/A.*T/);
    for (const directory of Object.values(others)) expect(attributes(directory)).not.toContain('T');
    for (const id of ['a', 'b']) mkdirSync(join(containers, id));
    expect(attributes(join(containers, 'a'))).not.toContain('T');
    expect(readdirSync(root).toSorted()).toEqual([
      'cache',
      'containers',
      'images',
      'layers',
      'networks',
      'snapshots',
    ]);
  });

  test('is left as somebody has made it', () => {
    const root = join(scratch, 'as-it-was');
    openHome({ MAYFLY_HOME: root });
    const { containers } = openHome({ MAYFLY_HOME: root });
    execFileSync('chattr', ['-T', containers]);
    openHome({ MAYFLY_HOME: root });
    expect(attributes(containers)).not.toContain('T');
  });
});

test('where there is no such attribute, nothing happens', () => {
  expect(() => spreadDirectories('/proc/self')).not.toThrow();
  expect(() => spreadDirectories(join(scratch, 'absent'))).toThrow('ENOENT');
});
