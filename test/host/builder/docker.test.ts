import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildImage, loadImages, removeImage, saveImages, startContainer } from '../../../src/index.ts';
import { type Docker, openDocker } from '../../fixtures/dockerd.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const DOCKERFILE = `
FROM test/debian:bookworm AS made
RUN mkdir /made && printf 'made by %s\\n' "$(id -un)" > /made/file && chown 5:6 /made/file && chmod 4750 /made/file
FROM test/debian:bookworm
COPY --from=made /made /app
RUN rm /etc/issue && ln /app/file /app/hard
ENV GREETING=hello
WORKDIR /app
USER 0:6
ENTRYPOINT ["sh", "-c"]
CMD ["echo $GREETING; pwd; id -g; cat hard; stat -c '%a %u:%g %h' file; test -e /etc/issue || echo gone"]
`;
const SAID = 'hello\n/app\n6\nmade by root\n4750 5:6 2\ngone';

requires(
  'root',
  'mmdebstrap',
  'dockerd',
  'docker',
)('beside a real Docker', () => {
  let docker: Docker;
  let context: string;
  beforeAll(async () => {
    await debian();
    docker = await openDocker();
  });
  afterAll(() => docker[Symbol.asyncDispose]());
  beforeEach(() => {
    context = mkdtempSync(join(tmpdir(), 'mayfly-docker-context-'));
    writeFileSync(join(context, 'Dockerfile'), DOCKERFILE);
  });
  afterEach(() => rmSync(context, { recursive: true }));
  const archive = () => join(context, 'archive.tar');

  test('what was built here runs there, and is the same image', async () => {
    const image = await buildImage({ context, tag: 'test/built-here:1' });
    await saveImages('test/built-here:1', archive());
    await docker('load', '--input', archive());
    expect(await docker('image', 'inspect', '--format', '{{.Id}}', 'test/built-here:1')).toBe(image.id);
    expect(await docker('run', '--rm', '--network=none', 'test/built-here:1')).toBe(SAID);
    await removeImage('test/built-here:1');
  });

  test('what was built there runs here, and is the same image', async () => {
    await saveImages('test/debian:bookworm', archive());
    await docker('load', '--input', archive());
    await docker('build', '--network=none', '--tag', 'test/built-there:1', context);
    const id = await docker('image', 'inspect', '--format', '{{.Id}}', 'test/built-there:1');
    await docker('save', '--output', archive(), 'test/built-there:1');
    await loadImages(archive());
    await using container = await startContainer({ image: 'test/built-there:1' });
    expect((await container.inspect()).Image).toBe(id);
    await container.wait();
    let said = '';
    for await (const { text } of container.logs()) said += `${text}\n`;
    expect(said).toBe(`${SAID}\n`);
    await container.stop();
    await removeImage('test/built-there:1');
  });
});
