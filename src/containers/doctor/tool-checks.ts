import type { Check, Examination, Examine } from './check.ts';
import { installCommand } from './distribution.ts';
import { findProgram } from './find-program.ts';

const BOOTSTRAPPERS = ['mmdebstrap', 'debootstrap'];

/** Programs of others that mayfly runs, and what the environment says. */
export const examineTools: Examine = (examination) => [bootstrapper(examination), environment(examination)];

function bootstrapper({ distribution, asRoot, env }: Examination): Check {
  const found = BOOTSTRAPPERS.find((name) => findProgram(name, env.PATH) !== undefined);
  const common = { id: 'bootstrapper', group: 'tools' } as const;
  if (found !== undefined) return { ...common, status: 'ok', found };
  return {
    ...common,
    status: 'lacking',
    found: 'neither mmdebstrap nor debootstrap',
    effect: 'presets cannot make their images out of Debian packages',
    fix: asRoot(installCommand(distribution, { debian: 'mmdebstrap', fedora: 'debootstrap' })),
  };
}

/** Everything of the environment that mayfly goes by; a credential in a proxy's address is left out. */
function environment({ env }: Examination): Check {
  const names = Object.keys(env).filter((name) => /^MAYFLY_|^DOCKER_HOST$|^(https?|no)_proxy$/i.test(name));
  const words = names.sort().map((name) => `${name}=${env[name]!.replace(/\/\/[^/@]*@/, '//')}`);
  return { id: 'environment', group: 'tools', status: 'ok', found: words.join(' ') || 'says nothing' };
}
