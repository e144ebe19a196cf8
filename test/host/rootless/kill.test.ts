import { afterAll, beforeAll, test } from 'vitest';
import { survivesKills } from '../../fixtures/random-kills.ts';
import { installForUser, type UserInstallation } from '../../fixtures/user-installation.ts';
import { requires } from '../../requires.ts';

const ROUNDS = Number(process.env.MAYFLY_ROOTLESS_CRASH_ROUNDS ?? 30);
const SEED = Number(process.env.MAYFLY_CRASH_SEED ?? Date.now() % 1_000_000);

/** Writes as another user, so that a worker has to remove it, and publishes a port. */
const VICTIM = `
import { startContainer } from 'mayfly';
process.stdout.write('ready\\n');
try {
  for (;;) {
    const box = await startContainer({ image: 'test/debian:bookworm', command: ['sh', '-c', 'sleep 1000 & setsid sleep 1000 & echo up; wait'], ports: [80], stopTimeout: 0 });
    await box.exec(['sh', '-c', 'install -d -o 33 -m 700 /deep/er; sleep 1000 > /dev/null 2>&1 & echo done']);
    await box.stop();
  }
} catch (error) {
  process.stdout.write('ended: ' + error.message.split('\\n')[0] + '\\n');
  process.exit(0);
}
`;

requires(
  'root',
  'ordinary-user',
  'mmdebstrap',
  'build',
)('an ordinary user whose processes are killed', () => {
  let install: UserInstallation;
  beforeAll(async () => {
    install = await installForUser();
    await install.run(`
      import { importImage } from 'mayfly';
      const image = await importImage(process.env.TARBALL, { reference: 'test/debian:bookworm' });
      console.log(image.layers.length);
    `);
  });
  afterAll(async () => install?.[Symbol.asyncDispose]());

  test(`leaves nothing after ${ROUNDS} kills at random instants`, { timeout: 600_000 }, async () => {
    await survivesKills({
      rounds: ROUNDS,
      seed: SEED,
      latest: 300,
      home: install.home,
      victim: () => install.spawn(VICTIM),
      sweep: () =>
        install.run(`
          import { startContainer } from 'mayfly';
          const box = await startContainer({ image: 'test/debian:bookworm', command: ['sleep', 'infinity'], stopTimeout: 0 });
          await box.stop();
          console.log(1);
        `),
    });
  });
});
