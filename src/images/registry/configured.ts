import type { Home } from '../../support/home.ts';
import { openRegistries, type Registries } from './registries.ts';
import { readRegistriesConfig } from './registries-config.ts';

/** Registries as the home's `registries.json` and the environment have them. @throws MayflyError `registry.bad-config` */
export function openConfigured(home: Home, env: NodeJS.ProcessEnv): Registries {
  return openRegistries({ config: readRegistriesConfig(home, env), env });
}
