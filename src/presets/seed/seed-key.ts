import { createHash } from 'node:crypto';
import { readInputFiles } from './input-files.ts';

/** What a seed is made of, beside the image and the options. */
export interface SeedInputs {
  /** Texts that it depends on: a version, SQL, the JSON of an object. Default: none. */
  readonly inputs?: readonly string[] | undefined;
  /**
   * Files whose content it depends on, migrations for example: paths, directories, or patterns such as `migrations/*.sql`, from the
   * working directory. Default: none.
   */
  readonly files?: readonly string[] | undefined;
}

/** 40 hexadecimal digits: the same for the same state. @throws MayflyError `snapshot.seed-input-missing` */
export function seedKey(
  identity: unknown,
  { inputs = [], files = [], seed }: SeedInputs & { seed: (...args: never[]) => unknown },
): string {
  const hash = createHash('sha256');
  // The text of the function as well, which costs nothing and catches what nobody declares.
  hash.update(JSON.stringify([FORMAT, identity, inputs, seed.toString()]));
  for (const { name, content } of readInputFiles(files, process.cwd()))
    hash.update(JSON.stringify([name, content.length])).update(content);
  return hash.digest('hex').slice(0, 40);
}

/** Changes with what is kept of a seeded container. */
const FORMAT = 1;
