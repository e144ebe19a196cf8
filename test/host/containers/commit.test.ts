import { removeImage, startContainer } from 'mayfly';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import type { Image } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('commit', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  // With the name goes all that has none.
  afterAll(() => removeImage('test/commit:1'));
  const write = (box: { exec(argv: string[]): Promise<unknown> }) =>
    box.exec([
      'sh',
      '-c',
      `mkdir /data && echo hello > /data/file && ln /data/file /data/hard && chown 5:6 /data/file && chmod 4750 /data/file &&
       ln -s file /data/link && rm /etc/issue && touch -d @1700000000 /data/file /data /etc`,
    ]);
  const sleeper = () => startContainer({ image, command: ['sleep', 'infinity'], stopTimeout: 0 });

  test('a running container becomes an image that others start from, and goes on', async () => {
    await using box = await sleeper();
    await write(box);
    const committed = await box.commit('test/commit:1', {
      author: 'Ann',
      message: 'with data',
      changes: ['ENV A=1 B=$A', 'CMD ["sleep", "infinity"]', 'EXPOSE 80', 'WORKDIR /data', 'LABEL x=y'],
    });
    expect(committed.layers.map(({ diffId }) => diffId).slice(0, -1)).toEqual(
      image.layers.map(({ diffId }) => diffId),
    );
    expect((await box.inspect()).State).toMatchObject({ Running: true, Paused: false });
    expect((await box.exec(['cat', '/data/file'])).stdout).toBe('hello\n');
    const stored = openEngine().images.lookup('test/commit:1')!;
    expect(stored.id).toBe(committed.id);
    expect(stored.config).toMatchObject({ author: 'Ann' });
    expect(stored.config.history?.at(-1)).toEqual({
      created_by: 'sleep infinity',
      author: 'Ann',
      comment: 'with data',
    });
    await using again = await startContainer({ image: 'test/commit:1', stopTimeout: 0 });
    const { stdout } = await again.exec([
      'sh',
      '-c',
      'pwd; cat file; stat -c "%n %a %u:%g %h %Y" file hard; readlink link; test ! -e /etc/issue && echo gone; echo $A $B',
    ]);
    expect(stdout).toBe(
      '/data\nhello\nfile 4750 5:6 2 1700000000\nhard 4750 5:6 2 1700000000\nfile\ngone\n1\n',
    );
    expect(committed.config).toMatchObject({ ExposedPorts: { '80/tcp': {} }, Labels: { x: 'y' } });
  });

  test('the same content gives the same image', async () => {
    await using box = await sleeper();
    await write(box);
    const first = await box.commit();
    expect(first.references).toEqual([]);
    expect((await box.commit()).id).toBe(first.id);
    expect((await box.commit(undefined, { pause: false })).id).toBe(first.id);
    await box.exec(['sh', '-c', 'echo more >> /data/file']);
    expect((await box.commit()).id).not.toBe(first.id);
  });

  test('one that is paused stays paused', async () => {
    await using box = await sleeper();
    await box.pause();
    await box.commit();
    expect((await box.inspect()).State.Paused).toBe(true);
  });

  test('an ended detached container is committed', async () => {
    const box = await startContainer({
      image,
      command: ['sh', '-c', 'echo late > /late'],
      detached: true,
    });
    try {
      await box.wait();
      const { id } = await box.commit();
      await using again = await startContainer({ image: id, command: ['sleep', 'infinity'], stopTimeout: 0 });
      expect((await again.exec(['cat', '/late'])).stdout).toBe('late\n');
    } finally {
      await box.remove({ force: true });
    }
  });

  test('bad names and changes are refused before anything is made', async () => {
    await using box = await sleeper();
    const before = openEngine().images.list().length;
    await expect(box.commit('Not A Name')).rejects.toMatchObject({ code: 'image.bad-reference' });
    await expect(box.commit('test/bad:1', { changes: ['RUN true'] })).rejects.toMatchObject({
      code: 'build.unknown-instruction',
    });
    await expect(box.commit('test/bad:1', { changes: ['EXPOSE no'] })).rejects.toMatchObject({
      code: 'build.syntax',
    });
    expect(openEngine().images.list().length).toBe(before);
  });
});
