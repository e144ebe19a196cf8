import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { installForUser, type UserInstallation } from '../../fixtures/user-installation.ts';
import { requires } from '../../requires.ts';

const BASE = 'test/debian:bookworm';

/** Modules of the user's; each prints one line of JSON. */
const PRELUDE = `
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildImage, importImage, startContainer } from 'mayfly';
const say = (value) => console.log(JSON.stringify(value));
const context = mkdtempSync(join(tmpdir(), 'mayfly-user-build-'));
process.on('exit', () => rmSync(context, { recursive: true }));
const build = (lines, { files = {}, ...options } = {}) => {
  for (const [name, content] of Object.entries({ ...files, Dockerfile: lines.join('\\n') })) {
    mkdirSync(dirname(join(context, name)), { recursive: true });
    writeFileSync(join(context, name), content);
  }
  return buildImage({ context, ...options });
};
const output = async (image, script) => {
  const box = await startContainer({ image, entrypoint: ['sleep', '1000'], user: '0', stopTimeout: 0 });
  try { return (await box.exec(['sh', '-c', script])).stdout; } finally { await box.stop(); }
};
`;

requires(
  'root',
  'ordinary-user',
  'mmdebstrap',
  'build',
)('an ordinary user builds', () => {
  let install: UserInstallation;
  const run = (code: string, options = {}) => install.run(PRELUDE + code, options);

  beforeAll(async () => {
    install = await installForUser();
    await run(`say((await importImage(process.env.TARBALL, { reference: '${BASE}' })).layers.length);`);
  });
  afterEach(async () => {
    await expectNoLeaks(install.home);
    expect(leftOnDisk(install.home).filter((path) => !path.startsWith('/sys/fs/cgroup/'))).toEqual([]);
  });
  afterAll(async () => install?.[Symbol.asyncDispose]());

  test('every kind of step, with owners, whiteouts, stages and mounts as for root', async () => {
    const made = await run(`
      const image = await build([
        'FROM ${BASE} AS tools',
        'RUN mkdir /t && echo tool > /t/x && chown -R 33:34 /t && ln -s /t/x /t/link && echo 1 > /gone && mkdir /emptied && touch /emptied/f',
        'FROM tools AS second',
        'RUN rm /gone && rm -r /emptied && mkdir /emptied && echo again > /emptied/g',
        'FROM ${BASE}',
        'WORKDIR /made/w',
        'COPY --chown=daemon:7 --chmod=640 in/f ./owned',
        'COPY --from=second /t /t',
        'COPY --from=second /emptied /emptied',
        'ADD a.tar /unpacked/',
        'RUN --mount=type=cache,target=/c --mount=type=secret,id=s --mount=target=/in,source=in --mount=type=tmpfs,target=/tt --mount=from=second,source=/t,target=/from \\\\',
        '    cat /run/secrets/s /in/f /from/x > /out && touch /c/kept && id -u >> /out',
        'USER nobody',
        'RUN id -un > /tmp/who',
        'ENTRYPOINT ["sleep"]',
      ], { files: { 'in/f': 'content\\n' }, secrets: { s: 'secret\\n' }, ...(writeFileSync(join(context, 'hostname'), '', { mode: 0o644 }), execFileSync('tar', ['-cf', join(context, 'a.tar'), '-C', context, 'hostname']), {}) });
      say(await output(image, 'cd /; cat out tmp/who; stat -c "%n %u:%g %a" made/w/owned t/x unpacked/hostname; readlink t/link; ls emptied; ls -d c in tt from run/secrets 2>/dev/null | wc -l'));
    `);
    expect(made).toBe(
      'secret\ncontent\ntool\n0\nnobody\nmade/w/owned 1:7 640\nt/x 33:34 644\nunpacked/hostname 0:0 644\n/t/x\ng\n0\n',
    );
  });

  test('steps are remembered; a failure has its line; an abort leaves nothing', async () => {
    const facts = await run(`
      const lines = ['FROM ${BASE}', 'RUN date +%N > /stamp', 'COPY Dockerfile /d'];
      const [first, second] = [await build(lines), await build(lines)];
      const failure = await build(['FROM ${BASE}', 'RUN echo no luck; exit 5']).catch(({ code, line, message }) => ({ code, line, said: message.includes('no luck') }));
      const stop = new AbortController();
      const aborted = await build(['FROM ${BASE}', 'RUN echo begun; sleep 1000'], {
        noCache: true, signal: stop.signal, onProgress: ({ kind }) => kind === 'output' && stop.abort(new Error('enough')),
      }).catch(({ message }) => message);
      const owner = await build(['FROM ${BASE}', 'RUN --mount=type=cache,target=/c,uid=5 true']).catch(({ code, line }) => ({ code, line }));
      say({ same: first.id === second.id, failure, aborted, owner });
    `);
    expect(facts).toEqual({
      same: true,
      failure: { code: 'build.step-failed', line: 2, said: true },
      aborted: 'enough',
      owner: { code: 'build.unsupported', line: 2 },
    });
  });
});
