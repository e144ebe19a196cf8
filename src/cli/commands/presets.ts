import { listPresets } from '../../presets/by-name.ts';
import type { Invocation } from '../command.ts';
import { printListing } from '../listing/listing.ts';

type Options = { format: string | undefined; quiet: boolean };

const HEADINGS = { Name: 'NAME', Image: 'IMAGE', Ports: 'PORTS', Description: 'DESCRIPTION' };

export async function run({ options, output }: Invocation<Options>): Promise<number> {
  const rows = (await listPresets()).map(({ name, image, ports, description }) => ({
    Name: name,
    Image: image,
    Ports: ports.map((port) => `${port}/tcp`).join(', '),
    Description: description,
  }));
  printListing({ headings: HEADINGS, columns: Object.keys(HEADINGS), rows, key: 'Name' }, options, output);
  return 0;
}
