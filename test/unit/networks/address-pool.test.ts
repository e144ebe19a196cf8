import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AddressPool, giveAddress } from '../../../src/networks/address-pool.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mayfly-pool-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const subnet = { base: '10.64.0.0', prefix: 29 };

test('the first two addresses and the last are not given', () => {
  const pool = new AddressPool(directory, subnet);
  const taken = [1, 2, 3, 4, 5].map((last) => pool.take(`c${last}`, { last }).ip);
  expect(taken).toEqual(['10.64.0.2', '10.64.0.3', '10.64.0.4', '10.64.0.5', '10.64.0.6']);
  expect(pool.gateway).toBe('10.64.0.1');
  expect(() => pool.take('one too many', { last: 1 })).toThrow(
    expect.objectContaining({ code: 'network.addresses-exhausted' }),
  );
});

test('an address that was given back is not the next one', () => {
  const pool = new AddressPool(directory, subnet);
  const { ip, offset } = pool.take('a', { last: 1 });
  giveAddress(directory, { ip, containerId: 'a' });
  expect(readdirSync(directory)).toEqual([]);
  expect(pool.take('b', { last: offset }).ip).not.toBe(ip);
});

test('who no longer has an address does not give away whose it is now', () => {
  const { ip } = new AddressPool(directory, subnet).take('new', { last: 1 });
  giveAddress(directory, { ip, containerId: 'old' });
  expect(readdirSync(directory)).toEqual([ip]);
});

test('an address is had again by who had it, unless it is another’s by now', () => {
  const pool = new AddressPool(directory, subnet);
  const { ip } = pool.take('a', { last: 1 });
  expect(pool.take('a', { last: 1, wantedIp: ip }).ip).toBe(ip);
  giveAddress(directory, { ip, containerId: 'a' });
  expect(pool.take('a', { last: 4, wantedIp: ip }).ip).toBe(ip);
  expect(pool.take('b', { last: 1, wantedIp: ip }).ip).not.toBe(ip);
  expect(pool.take('c', { last: 1, wantedIp: '192.0.2.1' }).ip).toMatch(/^10\.64\.0\./);
});

test('a sweep gives back what the dead had and counts the rest', () => {
  const pool = new AddressPool(directory, subnet);
  for (const id of ['alive', 'dead', 'alive']) pool.take(id, { last: 1 });
  expect(pool.sweep((id) => id === 'alive')).toBe(2);
  expect(readdirSync(directory)).toHaveLength(2);
});

test('processes at the same time never get the same address', { timeout: 60_000 }, async () => {
  const source = JSON.stringify(join(import.meta.dirname, '../../../src/networks/address-pool.ts'));
  const script = `import(${source}).then(({ AddressPool }) => {
    const pool = new AddressPool(${JSON.stringify(directory)}, { base: '10.64.0.0', prefix: 24 });
    console.log(JSON.stringify(Array.from({ length: 20 }, () => pool.take(String(process.pid), { last: 1 }).ip)));
  })`;
  const run = () => promisify(execFile)(process.execPath, ['--import', 'tsx', '--eval', script]);
  const outputs = await Promise.all([run(), run(), run(), run()]);
  const all = outputs.flatMap(({ stdout }) => JSON.parse(stdout) as string[]);
  expect(new Set(all).size).toBe(80);
});
