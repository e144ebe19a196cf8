import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { MayflyError } from '../../support/error.ts';
import type { Home } from '../../support/home.ts';
import { lazy } from '../../support/lazy.ts';
import { ZodError, z } from '../../support/zod.ts';
import { isLoopback } from './hosts.ts';

const schema = lazy(() =>
  z.record(
    z.string(),
    z.strictObject({
      location: z.optional(z.url({ protocol: /^https?$/ })),
      mirrors: z.optional(z.array(z.url({ protocol: /^https?$/ }))),
      insecure: z.optional(z.boolean()),
      ca: z.optional(z.string().check(z.startsWith('/', 'must be an absolute path'))),
      realms: z.optional(z.array(z.string())),
    }),
  ),
);

/** What is special about one registry. */
export interface RegistrySettings {
  /**
   * Base URL of the server that stands in the registry's place, for all that is pulled, pushed and searched; passwords are those for
   * that server's host. Default: the registry itself.
   */
  readonly location?: string | undefined;
  /** Base URLs (`https://mirror.example.org`) that are asked before the registry itself when pulling, in this order. */
  readonly mirrors?: readonly string[] | undefined;
  /** Plain HTTP, and certificates that nobody vouches for, are good enough. Default: for this machine's own addresses only. */
  readonly insecure?: boolean | undefined;
  /** Absolute path of a PEM file with the authorities that sign its certificate. */
  readonly ca?: string | undefined;
  /** Hosts of other domains whose token servers may be given the credentials for this registry. */
  readonly realms?: readonly string[] | undefined;
}

/** Settings by a registry's host and port as references write it: `docker.io`, `registry.example.org:5000`. */
export type RegistriesConfig = Readonly<Record<string, RegistrySettings>>;

/**
 * Reads `registries.json` of the home, or the file that `MAYFLY_REGISTRIES` names. No file, no settings.
 *
 * @throws MayflyError `registry.bad-config`
 */
export function readRegistriesConfig(home: Home, env: NodeJS.ProcessEnv): RegistriesConfig {
  const path = env.MAYFLY_REGISTRIES || join(home.root, 'registries.json');
  try {
    return schema().parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') && !env.MAYFLY_REGISTRIES) return {};
    throw new MayflyError('registry.bad-config', `cannot use ${path}: ${messageOf(cause)}`, {
      cause,
      hint: 'write {"host[:port]": {"location": "http…", "mirrors": […], "insecure": true, "ca": "/…", "realms": […]}}',
    });
  }
}

/** A registry's settings, with the default for `insecure` filled in. */
export function settingsOf(
  registries: RegistriesConfig,
  host: string,
): RegistrySettings & { insecure: boolean } {
  const own = Object.hasOwn(registries, host) ? registries[host]! : {};
  return { ...own, insecure: own.insecure ?? isLoopback(host) };
}

function messageOf(cause: unknown): string {
  if (cause instanceof ZodError) return z.prettifyError(cause);
  return cause instanceof Error ? cause.message : String(cause);
}
