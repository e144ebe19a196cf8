import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Container, startContainer } from '../../../src/index.ts';
import { mayfly as runCli } from '../../fixtures/cli.ts';
import { startDockerEngine } from '../../fixtures/docker-engine.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { type RealRegistry, startDockerRegistry } from '../../fixtures/registry/docker-registry.ts';
import { requires } from '../../requires.ts';

/** A command of ours, the same of docker's against the engine of the fixture, and the fields that Docker's manual lists. */
interface Listing {
  readonly ours: readonly string[];
  readonly dockers: readonly string[];
  /** docs.docker.com/reference/cli/docker/<page>, section "Format the output (--format)", November 2026. */
  readonly manual: { readonly page: string; readonly fields: string };
}

let registry: RealRegistry;
const LISTINGS: readonly Listing[] = [
  {
    ours: ['ps', '-a'],
    dockers: ['ps', '-a'],
    manual: {
      page: 'container/ls/#format',
      fields: 'ID Image Command CreatedAt RunningFor Ports State Status Size Names Labels Mounts Networks',
    },
  },
  {
    ours: ['images'],
    dockers: ['images'],
    manual: { page: 'image/ls/#format', fields: 'ID Repository Tag Digest CreatedSince CreatedAt Size' },
  },
  {
    ours: ['history', 'test/formats'],
    dockers: ['history', 'app'],
    manual: { page: 'image/history/#format', fields: 'ID CreatedSince CreatedAt CreatedBy Size Comment' },
  },
  {
    ours: ['stats', '--no-stream', 'formats'],
    dockers: ['stats', '--no-stream', 'db'],
    manual: {
      page: 'container/stats/#format',
      fields: 'Container Name ID CPUPerc MemUsage NetIO BlockIO MemPerc PIDs',
    },
  },
  {
    ours: ['network', 'ls'],
    dockers: ['network', 'ls'],
    manual: { page: 'network/ls/#format', fields: 'ID Name Driver Scope IPv6 Internal Labels CreatedAt' },
  },
  {
    ours: ['search', 'REGISTRY/formats'],
    dockers: ['search', 'app'],
    manual: { page: 'search/#format', fields: 'Name Description StarCount IsOfficial' },
  },
];

const env = { MAYFLY_HOME: TEST_HOME };
const mayfly = (words: readonly string[]) =>
  runCli(
    words.map((word) => word.replace('REGISTRY', registry.host)),
    { env },
  );

/** The names of the fields in the first line of `--format json`, sorted. */
function fieldsOf(stdout: string): string[] {
  return Object.keys(JSON.parse(stdout.split('\n')[0]!) as object).sort();
}

requires(
  'root',
  'mmdebstrap',
  'docker-registry',
)('the fields of --format json', () => {
  let container: Container;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    await debian();
    await using model = await startContainer({ image: 'test/debian:bookworm', stopTimeout: 0 });
    const image = await model.commit('test/formats');
    expect(await mayfly(['tag', image.id, 'REGISTRY/formats'])).toMatchObject({ exitCode: 0 });
    expect(await mayfly(['push', '-q', 'REGISTRY/formats'])).toMatchObject({ exitCode: 0 });
    container = await startContainer({ image, name: 'formats', stopTimeout: 0, labels: { a: 'b' } });
  });
  afterAll(async () => {
    await container.stop();
    await mayfly(['rmi', '-f', 'test/formats', 'REGISTRY/formats']);
    await registry[Symbol.asyncDispose]();
    await expectNoLeaks(TEST_HOME);
  });

  test.each(LISTINGS)('$ours are those of $manual.page', async ({ ours, manual }) => {
    const { stdout, stderr } = await mayfly([...ours, '--format', 'json']);
    expect(stderr).toBe('');
    expect(fieldsOf(stdout)).toEqual(expect.arrayContaining(manual.fields.split(' ')));
    // Each of them in a template, too, and in a table under a heading.
    const template = manual.fields
      .split(' ')
      .map((name) => `{{.${name}}}`)
      .join('|');
    expect((await mayfly([...ours, '--format', template])).stdout).not.toContain('<no value>');
    const [heading] = (await mayfly([...ours, '--format', 'table {{json .}}'])).stdout.split('\n');
    expect(heading).toMatch(/^\{".*"\}$/);
  });

  test('a template may ask for one label', async () => {
    const format = '{{.Names}} {{.Label "a"}}|{{.Label "b"}}|';
    expect((await mayfly(['ps', '--format', format])).stdout).toBe('formats b||');
  });

  requires('docker')('beside the docker command line', () => {
    let engine: Awaited<ReturnType<typeof startDockerEngine>>;
    beforeAll(async () => {
      engine = await startDockerEngine();
    });
    afterAll(() => engine[Symbol.asyncDispose]());

    test.each(LISTINGS)('$ours are those of docker $dockers', async ({ ours, dockers }) => {
      const docker = await execa('docker', [...dockers, '--format', 'json'], {
        env: { DOCKER_HOST: engine.address, DOCKER_CONTEXT: '' },
        timeout: 30_000,
      });
      expect(fieldsOf((await mayfly([...ours, '--format', 'json'])).stdout)).toEqual(fieldsOf(docker.stdout));
    });
  });
});
