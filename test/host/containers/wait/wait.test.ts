import { beforeAll, expect, test } from 'vitest';
import {
  type ContainerOptions,
  type Image,
  startContainer,
  Wait,
  type WaitStrategy,
} from '../../../../src/index.ts';
import { debian, TEST_HOME } from '../../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../../fixtures/leaks.ts';
import { requires } from '../../../requires.ts';

requires('root', 'mmdebstrap')('waiting for a container', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  /** The state and the log when the wait is over. */
  async function after(script: string, waitFor: WaitStrategy, options: Partial<ContainerOptions> = {}) {
    await using box = await startContainer({
      image,
      command: ['sh', '-c', script],
      stopTimeout: 0,
      waitFor,
      ...options,
    });
    const { State } = await box.inspect();
    const lines: string[] = [];
    for await (const { text } of box.logs()) lines.push(text);
    return { running: State.Running, exitCode: State.ExitCode, lines };
  }
  const soon = { timeout: 300 };

  test('lines are counted over both streams', async () => {
    const script = 'for i in 1 2 3 4; do echo ready; sleep 0.05; echo ready >&2; sleep 0.05; done; sleep 100';
    const { lines } = await after(script, Wait.forLogMessage(/^ready$/g, { times: 3 }));
    expect(lines.length).toBeGreaterThanOrEqual(3);
    const few = after('echo ready; sleep 100', Wait.forLogMessage('ready', { times: 2, ...soon }));
    await expect(few).rejects.toThrow('2 lines with "ready" in the log; there were 1');
  });

  test('a line counts even when the container has ended since, and without it the end is the error', async () => {
    expect(await after('echo done', Wait.forLogMessage('done'))).toMatchObject({ lines: ['done'] });
    await expect(after('echo other', Wait.forLogMessage('done'))).rejects.toMatchObject({
      code: 'container.exited',
      exitCode: 0,
    });
  });

  test('a command is repeated until it succeeds', async () => {
    const script = 'sleep 0.1; mkdir /tmp/there; sleep 100';
    await after(script, Wait.forCommand(['ls', '/tmp/there']));
    await after(script, Wait.forCommand('cd /tmp && test -d there && test $A = b', { env: { A: 'b' } }));
    await after(
      script,
      Wait.forCommand('test "$(id -un)$PWD" = nobody/tmp', { user: 'nobody', cwd: '/tmp' }),
    );
    await after(script, Wait.forCommand(['sh', '-c', 'exit 3'], { exitCode: 3 }));
  });

  test('a command that never succeeds is told with what it said', async () => {
    await expect(after('sleep 100', Wait.forCommand(['ls', '/nosuch'], { ...soon }))).rejects.toMatchObject({
      code: 'wait.timeout',
      message: expect.stringMatching(
        /"ls \/nosuch" to exit with code 0; it exited with code 2: .*No such file/,
      ),
    });
  });

  test('a command that hangs does not hold the deadline up', async () => {
    await expect(after('sleep 100', Wait.forCommand('sleep 50', soon))).rejects.toMatchObject({
      code: 'wait.timeout',
    });
  });

  test('a command that the image lacks ends the wait at once, as a user does that it lacks', async () => {
    await expect(after('sleep 100', Wait.forCommand(['nosuch']))).rejects.toMatchObject({
      code: 'container.command-not-found',
    });
    await expect(after('sleep 100', Wait.forCommand('true', { user: 'nosuch' }))).rejects.toMatchObject({
      code: 'option.unknown-user',
    });
  });

  test('a container that is to end is ready with its exit code', async () => {
    expect(await after('echo migrated', Wait.forExit())).toEqual({
      running: false,
      exitCode: 0,
      lines: ['migrated'],
    });
    expect(await after('exit 3', Wait.forExit({ code: 3 }))).toMatchObject({ exitCode: 3 });
  });

  test('another exit code, and no end at all, are errors', async () => {
    await expect(after('echo oh no; exit 4', Wait.forExit())).rejects.toMatchObject({
      code: 'container.exited',
      exitCode: 4,
      message: expect.stringContaining('waiting for it to exit with code 0'),
    });
    await expect(after('sleep 100', Wait.forExit(soon))).rejects.toMatchObject({ code: 'wait.timeout' });
  });

  test('all: every one of them, in whatever order', async () => {
    const both = Wait.forAll([Wait.forLogMessage('two'), Wait.forLogMessage('one'), Wait.forExit()]);
    const { lines, running } = await after('echo one; sleep 0.1; echo two', both);
    expect({ lines, running }).toEqual({ lines: ['one', 'two'], running: false });
  });

  test('all: one deadline, and what is missing is named', async () => {
    const strategies = [
      Wait.forLogMessage('one', { timeout: 1 }),
      Wait.forLogMessage('two'),
      Wait.forListeningPorts([80]),
    ];
    await expect(after('echo one; sleep 100', Wait.forAll(strategies, soon))).rejects.toMatchObject({
      code: 'wait.timeout',
      message: expect.stringMatching(
        /waited 300 ms for .*; still missing: a line with "two" in the log \(there was none\); port 80 to listen \(nothing listens on 80\)\n/,
      ),
    });
  });

  test('all: the first failure ends it', async () => {
    const strategies = [Wait.forLogMessage('never'), Wait.forCommand(['nosuch'])];
    await expect(after('sleep 100', Wait.forAll(strategies))).rejects.toMatchObject({
      code: 'container.command-not-found',
    });
    await expect(
      after('exit 5', Wait.forAll([Wait.forLogMessage('never'), Wait.forListeningPorts([80])])),
    ).rejects.toMatchObject({ code: 'container.exited', exitCode: 5 });
  });

  test('any: one of them, whatever becomes of the others', async () => {
    const one = [Wait.forListeningPorts([80]), Wait.forCommand(['nosuch']), Wait.forLogMessage('one')];
    expect(await after('sleep 0.1; echo one; sleep 100', Wait.forAny(one))).toMatchObject({ lines: ['one'] });
    expect(await after('true', Wait.forAny([Wait.forListeningPorts([80]), Wait.forExit()]))).toMatchObject({
      running: false,
    });
  });

  test('any: none of them is an error', async () => {
    const none = [Wait.forLogMessage('never'), Wait.forAll([Wait.forCommand('exit 9'), Wait.forExit()])];
    await expect(after('sleep 100', Wait.forAny(none, soon))).rejects.toMatchObject({
      code: 'wait.timeout',
      message: expect.stringMatching(
        /none of: .*"never" in the log \(there was none\); .*it exited with code 9/,
      ),
    });
    await expect(after('exit 6', Wait.forAny(none))).rejects.toMatchObject({
      code: 'container.exited',
      exitCode: 6,
    });
    const failing = [Wait.forCommand(['nosuch']), Wait.forHealthCheck()];
    await expect(after('sleep 100', Wait.forAny(failing))).rejects.toMatchObject({
      code: 'container.command-not-found',
    });
  });

  test('a strategy of one’s own that does not heed its signal is left behind at the deadline', async () => {
    const stubborn = { what: 'nothing', timeout: 100, ready: () => new Promise<void>(() => {}) };
    await expect(after('sleep 100', stubborn)).rejects.toMatchObject({ code: 'wait.timeout' });
  });

  const strategies: [string, () => WaitStrategy][] = [
    ['a command', () => Wait.forCommand('false')],
    ['the exit', () => Wait.forExit()],
    ['all', () => Wait.forAll([Wait.forCommand('false'), Wait.forExit()])],
    ['any', () => Wait.forAny([Wait.forLogMessage('never'), Wait.forListeningPorts([80])])],
    ['health', () => Wait.forHealthCheck()],
  ];
  test.each(strategies)('an abort ends the wait for %s, and nothing is left', async (_title, strategy) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const starting = after('sleep 100', strategy(), {
      signal: controller.signal,
      healthCheck: { test: 'false' },
    });
    setTimeout(() => controller.abort(reason), 100);
    await expect(starting).rejects.toBe(reason);
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('without deadlines of their own, all and any have the longest of their parts', () => {
    const parts = [
      Wait.forExit({ timeout: '2s' }),
      Wait.forExit({ timeout: 3000 }),
      Wait.forExit({ timeout: 1 }),
    ];
    expect(Wait.forAll(parts).timeout).toBe(3000);
    expect(Wait.forAny(parts, { timeout: '1m' }).timeout).toBe('1m');
  });

  test.each<[string, () => unknown]>([
    ['no lines', () => Wait.forLogMessage('x', { times: 0 })],
    ['a port out of range', () => Wait.forListeningPorts([70_000])],
    ['a path without a slash', () => Wait.forHttp('health', 80)],
    ['a status that is none', () => Wait.forHttp('/', 80, { status: 42 })],
    ['an option that does not exist', () => Wait.forHttp('/', 80, { statusCode: 200 } as object)],
    ['an empty command', () => Wait.forCommand([])],
    ['a timeout in no unit', () => Wait.forExit({ timeout: '3 parsecs' })],
    ['all of nothing', () => Wait.forAll([])],
    ['any of what is no strategy', () => Wait.forAny(['x'] as never)],
  ])('%s is refused when the strategy is made', (_title, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'option.invalid' }));
  });
});
