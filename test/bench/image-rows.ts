import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildImage,
  type Image,
  pruneImages,
  removeImage,
  startContainer,
  tagImage,
} from '../../src/index.ts';
import { milliseconds, plainRow, type Row } from './sample.ts';

const COMMITS = 10;
const BUILDS = 20;
/** Megabytes that the committed container has written. */
const UPPER = 40;

/** Row `commit`: a running container that has written 40 MB of random bytes, each time others, becomes an image. */
export async function commitRow(image: Image): Promise<Row> {
  await using box = await startContainer({ image, command: ['sleep', '1000'], stopTimeout: 0 });
  const samples: number[] = [];
  for (let round = 0; round < COMMITS; round += 1) {
    await box.exec(['dd', 'if=/dev/urandom', 'of=/data', 'bs=1M', `count=${UPPER}`]);
    samples.push(await milliseconds(() => box.commit()));
    await pruneImages();
  }
  return plainRow('commit', samples);
}

/** Row `build-cached`: ten instructions, all of them built before. */
export async function cachedBuildRow(image: Image, scratch: string): Promise<Row> {
  const context = mkdtempSync(join(scratch, 'context-'));
  const base = 'mayfly-bench/base:1';
  await tagImage(image.id, base);
  writeFileSync(join(context, 'file'), 'content');
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM ${base}
ENV A=1
WORKDIR /app
COPY file /app/
RUN echo one > one
RUN echo two > two
LABEL x=y
EXPOSE 80
USER nobody
CMD ["sleep", "1"]
`,
  );
  const samples: number[] = [];
  for (let round = -1; round < BUILDS; round += 1) {
    const took = await milliseconds(() => buildImage({ context }));
    if (round >= 0) samples.push(took);
  }
  await removeImage(base);
  return plainRow('build-cached', samples);
}
