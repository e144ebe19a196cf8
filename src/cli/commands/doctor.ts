import { type Diagnosis, doctor } from '../../containers/doctor/doctor.ts';
import type { Invocation } from '../command.ts';
import { alignColumns, type Output } from '../output.ts';
import { readVersion } from '../version.ts';

export async function run({ options, output, env }: Invocation<{ format: string }>): Promise<number> {
  const diagnosis = await doctor(env);
  if (options.format === 'json')
    output.print(JSON.stringify({ mayfly: readVersion(), ...diagnosis }, null, 2));
  else show(diagnosis, output);
  return diagnosis.rung === 'none' ? 1 : 0;
}

function show({ rung, checks, ...machine }: Diagnosis, { print, colours }: Output): void {
  const paints = { ok: colours.green, lacking: colours.yellow, missing: colours.red };
  print(
    `mayfly ${readVersion()}, Node ${machine.node}, ${machine.distribution}, Linux ${machine.kernel}, ${machine.architecture}`,
  );
  print();
  const lines = alignColumns(checks.map(({ status, id, found }) => [status, id, found]));
  checks.forEach(({ status }, i) => {
    print(lines[i]!.replace(/^\w+/, paints[status]));
  });
  for (const { id, status, effect, fix } of checks) {
    if (status === 'ok') continue;
    print();
    print(`${paints[status](id)}: ${effect}`);
    print(`  ${fix}`);
  }
  print();
  print(
    colours.bold(
      rung === 'none'
        ? 'No container starts here.'
        : `Containers start here, ${rung === 'root' ? 'as root' : 'without root'}.`,
    ),
  );
}
