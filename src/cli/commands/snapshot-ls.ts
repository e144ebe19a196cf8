import { listSnapshots } from '../../containers/snapshots/find.ts';
import type { Invocation } from '../command.ts';
import { printListing } from '../listing/listing.ts';
import { ago, goTime, shortId } from '../listing/words.ts';

type Options = { format: string | undefined; noTrunc: boolean; quiet: boolean };

const HEADINGS = {
  ID: 'SNAPSHOT ID',
  Name: 'NAME',
  Container: 'CONTAINER',
  Image: 'IMAGE',
  Method: 'METHOD',
  CreatedAt: 'CREATED AT',
  CreatedSince: 'CREATED',
} as const;
const COLUMNS = ['ID', 'Name', 'Container', 'Image', 'CreatedSince'] as const;

export async function run({ options, output }: Invocation<Options>): Promise<number> {
  const rows = (await listSnapshots()).map(({ id, name, container, method, createdAt, parts }) => ({
    ID: options.noTrunc ? id : shortId(id),
    Name: name ?? '',
    Container: container.name,
    Image: parts.record.image.reference,
    Method: method,
    CreatedAt: goTime(createdAt),
    CreatedSince: ago(createdAt),
  }));
  printListing({ headings: HEADINGS, columns: COLUMNS, rows, key: 'ID' }, options, output);
  return 0;
}
