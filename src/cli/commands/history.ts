import { inspectImage } from '../../containers/images/local-images.ts';
import type { Invocation } from '../command.ts';
import { printListing } from '../listing/listing.ts';
import { ago, decimalSize, ellipsis, shortId } from '../listing/words.ts';

type Options = { format: string | undefined; noTrunc: boolean; quiet: boolean };

const HEADINGS = {
  ID: 'IMAGE',
  CreatedAt: 'CREATED AT',
  CreatedSince: 'CREATED',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
};
const COLUMNS = ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'];
/** The width of docker's column. */
const STEP_LENGTH = 45;

export async function run({
  options,
  args,
  output,
}: Invocation<Options, { image: string }>): Promise<number> {
  const { format, noTrunc, quiet } = options;
  const { id, history, layerSizes } = await inspectImage(args.image);
  const sizes = sizesOf(history, layerSizes);
  const rows = history.toReversed().map(({ created, created_by: step = '', comment = '' }, i) => ({
    ID: i > 0 ? '<missing>' : noTrunc ? id : shortId(id),
    CreatedAt: created ?? 'N/A',
    CreatedSince: created === undefined ? 'N/A' : ago(new Date(created)),
    CreatedBy: noTrunc ? step : ellipsis(step.replace(/\s+/g, ' '), STEP_LENGTH),
    Size: decimalSize(sizes.at(-1 - i)!),
    Comment: comment,
  }));
  printListing({ headings: HEADINGS, columns: COLUMNS, rows, key: 'ID' }, { format, quiet }, output);
  return 0;
}

/** What each step added: the layers in their order, one to each step that made one. */
function sizesOf(
  history: readonly { empty_layer?: boolean | undefined }[],
  layerSizes: readonly number[],
): number[] {
  let next = 0;
  return history.map(({ empty_layer: empty }) => (empty ? 0 : (layerSizes[next++] ?? 0)));
}
