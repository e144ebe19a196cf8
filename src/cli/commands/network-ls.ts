import { listNetworks } from '../../containers/network-details.ts';
import type { Invocation } from '../command.ts';
import { printListing } from '../listing/listing.ts';

type Options = { format: string | undefined; noTrunc: boolean; quiet: boolean };

const HEADINGS = { ID: 'NETWORK ID', Name: 'NAME', Driver: 'DRIVER', Scope: 'SCOPE' };

export async function run({ options, output }: Invocation<Options>): Promise<number> {
  // Names are ids here: there is one network of each.
  const rows = listNetworks().map(({ name, driver }) => ({
    ID: name,
    Name: name,
    Driver: driver,
    Scope: 'local',
    IPv4: 'true',
    IPv6: 'false',
    Internal: 'false',
    // Go's time zero: they have always been there.
    CreatedAt: '0001-01-01 00:00:00 +0000 UTC',
    Labels: '',
  }));
  const columns = Object.keys(HEADINGS);
  printListing({ headings: HEADINGS, columns, rows, key: 'ID' }, options, output);
  return 0;
}
