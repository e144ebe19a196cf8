import { beforeAll, expect, test } from 'vitest';
import { type Image, startContainer } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { countersOf } from '../../fixtures/counters.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const MIB = 1 << 20;

requires(
  'root',
  'mmdebstrap',
  'memory-controller',
  'cpu-controller',
  'pids-controller',
  'cpuset-controller',
)('update', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  test('changes limits up and down while the container runs, and inspect tells', async () => {
    await using box = await startContainer({ image, memory: '64m', pids: 20 });
    await box.update({ memory: '256m', pids: 40, cpus: 0.5, cpuShares: 512, cpuset: '0' });
    expect(countersOf(box)).toMatchObject({ memory: { limit: 256 * MIB }, pids: { limit: 40 } });
    expect((await box.inspect()).HostConfig).toMatchObject({
      Memory: 256 * MIB,
      MemorySwap: 512 * MIB,
      PidsLimit: 40,
      NanoCpus: 5e8,
      CpuShares: 512,
      CpusetCpus: '0',
    });
    await box.update({ memory: '32m' });
    expect(countersOf(box)).toMatchObject({ memory: { limit: 32 * MIB }, pids: { limit: 40 } });
    await box.update({ memory: null, pids: null });
    expect(countersOf(box)).toMatchObject({ memory: { limit: undefined }, pids: { limit: undefined } });
  });

  test('a process that runs already moves to the CPU that it is told', async () => {
    await using box = await startContainer({ image });
    const allowed = async () =>
      (await box.exec(['grep', 'Cpus_allowed_list', '/proc/1/status'])).stdout.trim().split('\t')[1];
    const before = await allowed();
    await box.update({ cpuset: '0' });
    expect(await allowed()).toBe('0');
    await box.update({ cpuset: null });
    expect(await allowed()).toBe(before);
  });

  test('a quota takes hold of a hog that was free', async () => {
    await using box = await startContainer({ image, command: ['sh', '-c', 'while :; do :; done'] });
    await box.update({ cpus: 0.1 });
    await poll(() => countersOf(box).cpu!.throttling!.throttledPeriods > 2 || undefined, {
      deadline: deadlineIn(20_000),
      what: 'the hog to be throttled',
    });
  });

  test('a limit of memory set late kills a hog, and its end says so', async () => {
    await using box = await startContainer({ image });
    await box.update({ memory: '32m' });
    const { exitCode } = await box.exec(['tail', '/dev/zero']);
    expect(exitCode).toBe(137);
    await box.kill();
    await expect
      .poll(async () => (await box.inspect()).State, { timeout: 10_000 })
      .toMatchObject({
        Running: false,
        OOMKilled: true,
      });
  });

  test.each([
    [{ memory: '1m' }, 'cgroup.memory-too-small'],
    [{ cpus: 5000 }, 'cgroup.cpus-out-of-range'],
    [{ memorySwap: '64m' }, 'cgroup.memory-swap-invalid'],
    [{ cpuset: '0-9223372036854775807' }, 'option.invalid'],
    [{ image: 'other' }, 'option.invalid'],
    [{ pids: 30, cpuset: '8000' }, 'cgroup.cpuset-unavailable'],
  ])('%j is refused with %s and changes nothing', async (changes, code) => {
    await using box = await startContainer({ image, pids: 20, memory: '64m', memorySwap: '64m' });
    const wrong = 'memorySwap' in changes ? { ...changes, memorySwap: '32m' } : changes;
    await expect(box.update(wrong as object)).rejects.toMatchObject({ code });
    expect(countersOf(box)).toMatchObject({ memory: { limit: 64 * MIB }, pids: { limit: 20 } });
    expect((await box.inspect()).HostConfig).toMatchObject({ PidsLimit: 20, MemorySwap: 64 * MIB });
  });
});
