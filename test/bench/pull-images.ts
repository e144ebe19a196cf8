import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type Image, importImage, pushImage, removeImage, startContainer } from '../../src/index.ts';
import { imageOf, layerOf, type TarEntry, tarOf, writeLayout } from '../fixtures/registry/image-layout.ts';
import { skopeoCopy } from '../fixtures/registry/skopeo.ts';

const SMALL_FILES = 20_000;
const FILES_A_DIRECTORY = 100;
/** Bytes; files of a language's packages are no larger on the whole. */
const LARGEST = 4096;

/**
 * Pushes a Debian of 180 MB in two layers, as an image is on which something has been installed. Returns its reference. No layer of
 * it is one of `image`, as the peer's engine may hold those already, and would pass them over.
 */
export async function pushDebian(image: Image, host: string): Promise<string> {
  const reference = `${host}/bench/debian:1`;
  const base = `${host}/bench/base:1`;
  await importOtherLayers(image, base);
  {
    await using box = await startContainer({ image: base, command: ['sleep', '1000'], stopTimeout: 0 });
    await box.exec(['cp', '-a', '/usr/lib/x86_64-linux-gnu', '/opt/installed']);
    await box.commit(reference);
  }
  await pushImage(reference);
  for (const made of [reference, base]) await removeImage(made);
  return reference;
}

/** Makes an image with the same files and one more. */
async function importOtherLayers(image: Image, reference: string): Promise<void> {
  await using box = await startContainer({ image, command: ['sleep', '1000'], stopTimeout: 0 });
  await box.exec(['touch', '/another']);
  const tar = new PassThrough();
  await Promise.all([importImage(tar, { reference }), box.export(tar)]);
}

/** Pushes an image of 20,000 files in one layer. Returns its reference. */
export async function pushSmallFiles(scratch: string, host: string): Promise<string> {
  const layout = mkdtempSync(join(scratch, 'small-files-'));
  writeLayout(layout, { app: [imageOf([layerOf(tarOf(...smallFiles()))])] });
  const reference = `${host}/bench/small-files:1`;
  await skopeoCopy(`oci:${layout}:app`, `docker://${reference}`);
  return reference;
}

function smallFiles(): TarEntry[] {
  return Array.from({ length: SMALL_FILES / FILES_A_DIRECTORY }, (_, directory): TarEntry[] => [
    { name: `packages/${directory}/`, type: 'directory', mode: 0o755 },
    ...Array.from({ length: FILES_A_DIRECTORY }, (_, file): TarEntry => {
      const number = directory * FILES_A_DIRECTORY + file;
      return { name: `packages/${directory}/file-${file}.js`, type: 'file', content: textOf(number) };
    }),
  ]).flat();
}

/** The same for the same number; as long as chance would have it, and as compressible as a program. */
function textOf(number: number): string {
  const length = (number * 2_654_435_761) % LARGEST;
  const lines: string[] = [];
  for (let bytes = 0; bytes < length; bytes += lines.at(-1)!.length) {
    lines.push(`export const value${(number * 31 + bytes) % 9973} = () => call(${bytes * number});\n`);
  }
  return lines.join('').slice(0, length);
}
