import type { ImageSummary } from '../../containers/images/image-summary.ts';
import { listImages, verifyImages } from '../../containers/images/local-images.ts';
import { familiarReference, parseReference } from '../../images/reference/parse.ts';
import type { Invocation } from '../command.ts';
import { printListing } from '../listing/listing.ts';
import { ago, decimalSize, goTime, shortId } from '../listing/words.ts';
import type { Output } from '../output.ts';

type Options = {
  format: string | undefined;
  noTrunc: boolean;
  quiet: boolean;
  digests: boolean;
  verify: boolean;
};

const HEADINGS = {
  ID: 'IMAGE ID',
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  CreatedAt: 'CREATED AT',
  CreatedSince: 'CREATED',
  Size: 'SIZE',
} as const;
type Row = Record<keyof typeof HEADINGS | 'Containers' | 'SharedSize' | 'UniqueSize' | 'VirtualSize', string>;

const NONE = '<none>';

export async function run({
  options,
  args,
  output,
}: Invocation<Options, { repository: string | undefined }>): Promise<number> {
  const { format, noTrunc, quiet, digests } = options;
  if (options.verify) return verify(output);
  const images = await listImages({
    onDamaged: ({ what, why }) => output.warn(`mayfly: the image ${what} is left out: ${why}`),
  });
  const rows = images
    .toSorted((a, b) => (b.created ?? '').localeCompare(a.created ?? ''))
    .flatMap((image) => toRows(image, noTrunc))
    .filter((row) => args.repository === undefined || isNamed(row, args.repository));
  const columns = ['Repository', 'Tag', ...(digests ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'];
  printListing({ headings: HEADINGS, columns, rows, key: 'ID' }, { format, quiet }, output);
  return 0;
}

/** One line for each problem, for programs as well: code, what, why. */
async function verify(output: Output): Promise<number> {
  const problems = await verifyImages();
  for (const { what, code, why } of problems) output.print(`${code}  ${what}  ${why.replaceAll('\n', ' ')}`);
  if (problems.length === 0) output.print('nothing is damaged');
  return problems.length === 0 ? 0 : 1;
}

/** One for each name; one for an image without. */
function toRows({ id, references, repoDigests, created, size }: ImageSummary, noTrunc: boolean): Row[] {
  const moment = created === undefined ? undefined : new Date(created);
  const common = {
    ID: noTrunc ? id : shortId(id),
    CreatedAt: moment === undefined ? 'N/A' : goTime(moment),
    CreatedSince: moment === undefined ? 'N/A' : ago(moment),
    Size: decimalSize(size),
    // docker's list does not know them either.
    Containers: 'N/A',
    SharedSize: 'N/A',
    UniqueSize: 'N/A',
    VirtualSize: decimalSize(size),
  };
  if (references.length === 0) return [{ ...common, Repository: NONE, Tag: NONE, Digest: NONE }];
  return references.map((name) => {
    const reference = parseReference(name);
    const repository = familiarReference({ ...reference, tag: undefined, digest: undefined });
    const known = repoDigests.find((text) =>
      text.startsWith(`${reference.registry}/${reference.repository}@`),
    );
    return {
      ...common,
      Repository: repository,
      Tag: reference.tag ?? NONE,
      Digest: reference.digest ?? known?.split('@')[1] ?? NONE,
    };
  });
}

/** `debian` for all its tags, `debian:12` for one. */
function isNamed({ Repository, Tag }: Row, wanted: string): boolean {
  const { tag, ...rest } = parseReference(wanted);
  const repository = familiarReference({ ...rest, tag: undefined, digest: undefined });
  return Repository === repository && (!/:[^/]+$/.test(wanted) || Tag === tag);
}
