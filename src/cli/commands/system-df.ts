import { diskUsage } from '../../containers/images/local-images.ts';
import { listContainers } from '../../containers/list.ts';
import type { Usage } from '../../images/store/disk-usage.ts';
import type { Invocation } from '../command.ts';
import { printListing } from '../listing/listing.ts';
import { decimalSize } from '../listing/words.ts';

const HEADINGS = {
  Type: 'TYPE',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
};

export async function run({ options, output }: Invocation<{ format: string | undefined }>): Promise<number> {
  const [{ images, layers, blobs }, containers] = await Promise.all([
    diskUsage(),
    listContainers({ all: true }),
  ]);
  const running = containers.filter(({ status }) => status === 'running');
  const used = new Set(containers.map(({ imageId }) => imageId));
  const rows = [
    { Type: 'Images', TotalCount: String(images), Active: String(used.size), Size: '', Reclaimable: '' },
    toRow('Layers', layers),
    toRow('Blobs', blobs),
    {
      Type: 'Containers',
      TotalCount: String(containers.length),
      Active: String(running.length),
      Size: '',
      Reclaimable: '',
    },
  ];
  printListing({ headings: HEADINGS, columns: Object.keys(HEADINGS), rows, key: 'Type' }, options, output);
  return 0;
}

function toRow(Type: string, { count, bytes, unnamedBytes }: Usage): Record<keyof typeof HEADINGS, string> {
  return {
    Type,
    TotalCount: String(count),
    Active: '',
    Size: decimalSize(bytes),
    Reclaimable: decimalSize(unnamedBytes),
  };
}
