import { searchImages } from '../../containers/images/transfer-images.ts';
import type { Invocation } from '../command.ts';
import { printListing } from '../listing/listing.ts';
import { ellipsis } from '../listing/words.ts';

type Options = { format: string | undefined; limit: number; noTrunc: boolean };

const HEADINGS = { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' };
const COLUMNS = ['Name', 'Description', 'StarCount', 'IsOfficial'];
const DESCRIPTION_LENGTH = 45;

export async function run({ options, args, output }: Invocation<Options, { term: string }>): Promise<number> {
  const { format, limit, noTrunc } = options;
  // As with docker, a term may begin with the registry that is to be searched.
  const [, registry, rest] = /^([^/]+[.:][^/]*)\/(.*)$/.exec(args.term) ?? [];
  const found = await searchImages(rest ?? args.term, {
    limit,
    ...(registry === undefined ? {} : { registry }),
  });
  const rows = found.map(({ name, description, stars, official }) => ({
    Name: name,
    Description: noTrunc ? description : ellipsis(description, DESCRIPTION_LENGTH),
    StarCount: String(stars),
    // In JSON docker says true or false, and [OK] elsewhere (cli formatter/search.go).
    IsOfficial: format === 'json' ? String(official) : official ? '[OK]' : '',
  }));
  printListing({ headings: HEADINGS, columns: COLUMNS, rows, key: 'Name' }, { format }, output);
  return 0;
}
