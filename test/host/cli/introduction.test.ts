import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/table.ts';
import { getContainer, pushImage, removeImage, startContainer } from '../../../src/index.ts';
import { FROM_SOURCE } from '../../fixtures/cli.ts';
import { debPackages } from '../../fixtures/deb-packages.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { type RealRegistry, startDockerRegistry } from '../../fixtures/registry/docker-registry.ts';
import { requires } from '../../requires.ts';

/** The commands of Docker's first introduction, in its order; `<id>` is what the line before has told. */
const WORDS = `mayfly version
mayfly search tutorial
mayfly pull learn/tutorial
mayfly run learn/tutorial echo 'hello world'
mayfly run learn/tutorial apt-get install -y iputils-ping
mayfly ps -l
mayfly commit <id> learn/ping
mayfly run learn/ping ping -c1 127.0.0.1
mayfly inspect <id>
mayfly images
mayfly push learn/ping`.split('\n');

const REPOSITORY = '/var/local/packages';

requires(
  'root',
  'mmdebstrap',
  'docker-registry',
  'dpkg-scanpackages',
  'iputils-ping',
)("the classic introduction, word for word, where a local registry stands in Docker Hub's place", () => {
  let registry: RealRegistry;
  let home: string;
  const said: string[] = [];

  beforeAll(async () => {
    registry = await startDockerRegistry();
    await publishTutorial(registry.host);
    home = mkdtempSync(join(dirname(TEST_HOME), 'mayfly-introduction-'));
    mkdirSync(join(home, 'bin'));
    const quoted = FROM_SOURCE.map((word) => `'${word}'`).join(' ');
    writeFileSync(join(home, 'bin/mayfly'), `#!/bin/sh\nexec ${quoted} "$@"\n`);
    chmodSync(join(home, 'bin/mayfly'), 0o755);
    const registries = { 'docker.io': { location: `http://${registry.host}` } };
    writeFileSync(join(home, 'registries.json'), JSON.stringify(registries));
  });
  afterAll(async () => {
    const { stdout } = await sh('mayfly ps -aq');
    if (stdout !== '') await sh(`mayfly rm -f ${stdout.replaceAll('\n', ' ')}`);
    await registry[Symbol.asyncDispose]();
    await expectNoLeaks(home);
    rmSync(home, { recursive: true });
  });

  /** By a shell, so that quotes mean what they mean to people. */
  function sh(line: string) {
    const env = { MAYFLY_HOME: home, PATH: `${join(home, 'bin')}:${process.env.PATH}` };
    return execa('sh', ['-c', line], { env, reject: false, stdin: 'ignore', timeout: 120_000 });
  }

  let id = '<id>';
  const expected: Readonly<Record<string, (stdout: string) => void>> = {
    version: (stdout) => expect(stdout).toMatch(/^mayfly \d+\.\d+\.\d+\n/),
    search: (stdout) => {
      const [heading, ...rows] = stdout.split('\n');
      expect(heading).toMatch(/^NAME +DESCRIPTION +STARS +OFFICIAL$/);
      expect(rows).toEqual([expect.stringMatching(/^learn\/tutorial +0$/)]);
    },
    pull: (stdout) => expect(stdout.split('\n').at(-1)).toBe('docker.io/learn/tutorial:latest'),
    run: (stdout) =>
      expect(stdout).toMatch(
        /^hello world$|Setting up iputils-ping |1 packets transmitted, 1 received, 0% packet loss/,
      ),
    ps: (stdout) => {
      const [heading, row, ...more] = stdout.split('\n');
      expect(heading).toMatch(/^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/);
      expect(row).toMatch(/^[0-9a-f]{12} +learn\/tutorial +"apt-get install -y …" .* Exited \(0\) /);
      expect(more).toEqual([]);
      id = row!.slice(0, 12);
    },
    commit: (stdout) => expect(stdout).toMatch(/^sha256:[0-9a-f]{64}$/),
    inspect: (stdout) => {
      const [info] = JSON.parse(stdout) as [{ Id: string; Config: { Cmd: unknown } }];
      expect(info.Id.slice(0, 12)).toBe(id);
    },
    images: (stdout) => {
      const [heading, ...rows] = stdout.split('\n');
      expect(heading).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/);
      const names = rows.map((row) => row.split(/ +/).slice(0, 2).join(':'));
      expect(names.toSorted()).toEqual(['learn/ping:latest', 'learn/tutorial:latest']);
    },
    push: () => {},
  };

  test.each(WORDS)('%s', async (words) => {
    const line = words.replace('<id>', id);
    const isThere = words.split(' ')[1]! in COMMANDS;
    const { exitCode, stdout, stderr } = isThere ? await sh(line) : await commitByLibrary(home, id);
    said.push(`$ ${words}\n${stdout}${stderr}`);
    expect({ exitCode, said: said.at(-1) }).toMatchObject({ exitCode: 0 });
    expected[words.split(' ')[1]!]!(stdout);
  });

  test('what was pushed is in the registry, for others to pull', async () => {
    const response = await fetch(`http://${registry.host}/v2/learn/ping/tags/list`);
    expect(await response.json()).toEqual({ name: 'learn/ping', tags: ['latest'] });
  });
});

/** As long as there is no command for it. */
async function commitByLibrary(home: string, id: string) {
  process.env.MAYFLY_HOME = home;
  try {
    await using container = await getContainer(id);
    const image = await container.commit('learn/ping');
    return { exitCode: 0, stdout: image.id, stderr: '' };
  } finally {
    process.env.MAYFLY_HOME = TEST_HOME;
  }
}

/** A Debian whose apt knows one place: a directory of packages in the image, because there need not be a network. */
async function publishTutorial(host: string): Promise<void> {
  const name = `${host}/learn/tutorial:latest`;
  const image = await debian();
  await using container = await startContainer({ image, stopTimeout: 0 });
  for (const path of debPackages(['iputils-ping', 'libcap2-bin'])!)
    await container.copyTo(`${REPOSITORY}/`, path);
  const run = async (line: string, stdin = '') => {
    const { exitCode, stderr } = await container.exec(['sh', '-ec', line], { stdin });
    expect({ line, exitCode, stderr }).toMatchObject({ exitCode: 0 });
  };
  await run(`cat > ${REPOSITORY}/Packages`, await packagesOf());
  await run(
    'rm -rf /etc/apt/sources.list.d/*; cat > /etc/apt/sources.list',
    `deb [trusted=yes] file:${REPOSITORY} ./\n`,
  );
  await run('apt-get update');
  await container.commit(name);
  await pushImage(name);
  await removeImage(name);
}

/** The index of the packages, as apt reads it. */
async function packagesOf(): Promise<string> {
  const [first] = debPackages(['iputils-ping', 'libcap2-bin'])!;
  const { stdout } = await execa('dpkg-scanpackages', ['--multiversion', '.'], { cwd: dirname(first!) });
  return stdout;
}
