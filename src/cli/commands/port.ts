import { getContainer } from '../../containers/find.ts';
import { MayflyError } from '../../support/error.ts';
import type { Invocation } from '../command.ts';
import { addressesOf } from '../publish.ts';

export async function run({
  args,
  output,
}: Invocation<object, { container: string; port: string | undefined }>): Promise<number> {
  await using container = await getContainer(args.container);
  const { Ports } = (await container.inspect()).NetworkSettings;
  const wanted = args.port === undefined || args.port.includes('/') ? args.port : `${args.port}/tcp`;
  const lines = Object.entries(Ports)
    .filter(([port]) => wanted === undefined || port === wanted)
    .flatMap(([port, bindings]) =>
      addressesOf(bindings).map((address) => (wanted === undefined ? `${port} -> ${address}` : address)),
    );
  if (wanted !== undefined && lines.length === 0) {
    throw new MayflyError('container.no-port', `port ${wanted} of ${container.name} is not published`, {
      hint: 'publish it when the container is started: mayfly run -p',
    });
  }
  for (const line of lines) output.print(line);
  return 0;
}
