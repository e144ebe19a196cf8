import { inspectImage } from '../../containers/images/local-images.ts';
import type { Invocation } from '../command.ts';
import { printListing } from '../listing/listing.ts';
import { ago, ellipsis, shortId } from '../listing/words.ts';

type Options = { format: string | undefined; noTrunc: boolean; quiet: boolean };

const HEADINGS = {
  ID: 'IMAGE',
  CreatedAt: 'CREATED AT',
  CreatedSince: 'CREATED',
  CreatedBy: 'CREATED BY',
  Comment: 'COMMENT',
};
const COLUMNS = ['ID', 'CreatedSince', 'CreatedBy', 'Comment'];
/** The width of docker's column. */
const STEP_LENGTH = 45;

export async function run({
  options,
  args,
  output,
}: Invocation<Options, { image: string }>): Promise<number> {
  const { format, noTrunc, quiet } = options;
  const { id, history } = await inspectImage(args.image);
  const rows = history.toReversed().map(({ created, created_by: step = '', comment = '' }, i) => ({
    ID: i > 0 ? '<missing>' : noTrunc ? id : shortId(id),
    CreatedAt: created ?? 'N/A',
    CreatedSince: created === undefined ? 'N/A' : ago(new Date(created)),
    CreatedBy: noTrunc ? step : ellipsis(step.replace(/\s+/g, ' '), STEP_LENGTH),
    Comment: comment,
  }));
  printListing({ headings: HEADINGS, columns: COLUMNS, rows, key: 'ID' }, { format, quiet }, output);
  return 0;
}
