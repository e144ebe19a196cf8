import { isIP } from 'node:net';
import { posix } from 'node:path';
import { check } from '../support/check.ts';
import { lazy } from '../support/lazy.ts';
import { z } from '../support/zod.ts';
import type { ContainerOptions } from './container-options.ts';
import { healthCheckOption } from './health/health-check-option.ts';
import { limitSchemas } from './limits/limit-schema.ts';
import { NAME } from './names.ts';
import { argv, duration, env, parses, path, port, size, text } from './option-schemas.ts';
import { signalNumber } from './signals.ts';
import { terminalOption } from './terminal.ts';

/** RFC 1123, as sethostname(2) limits it. */
const HOSTNAME = /^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,62}[a-zA-Z0-9])?$/;

const mount = () => {
  const bind = z.strictObject({
    type: z.literal('bind'),
    source: path,
    target: path,
    readOnly: z.optional(z.boolean()),
  });
  const tmpfs = z.strictObject({
    type: z.literal('tmpfs'),
    target: path,
    size: z.optional(size),
    mode: z.optional(z.int().check(z.gte(0), z.lte(0o7777))),
  });
  return z.discriminatedUnion('type', [bind, tmpfs]);
};
const device = () =>
  z.strictObject({
    host: path,
    container: z.optional(
      path.check(z.refine((value) => posix.normalize(value) !== '/', 'must be a path below /')),
    ),
    access: z.optional(z.string().check(z.regex(/^[rwm]{1,3}$/, 'must be any of r, w, m'))),
  });
const sharedNamespace = lazy(() =>
  z.union([z.literal('private'), z.strictObject({ container: text.check(z.minLength(1)) })]),
);

/** Each takes up to two descriptors of the shim's. */
const MAX_PORTS = 100;
const publishedPort = () =>
  z.strictObject({
    container: port,
    host: z.optional(z.union([port, z.literal(0)])),
    hostIp: z.optional(text.check(z.refine((value) => isIP(value) !== 0, 'must be an IP address'))),
  });

/** Every option, so that one which nobody checks does not compile. */
const schemas = {
  image: lazy(() =>
    z.union([
      text,
      z.looseObject({ id: z.string(), layers: z.array(z.unknown()), config: z.looseObject({}) }),
    ]),
  ),
  pull: lazy(() => z.enum(['never', 'missing', 'always'])),
  command: () => argv,
  entrypoint: lazy(() => z.array(text)),
  env: () => env,
  user: () => text,
  groupAdd: lazy(() => z.array(text)),
  cwd: () => path,
  hostname: lazy(() => text.check(z.regex(HOSTNAME, 'is not a hostname'))),
  name: lazy(() => text.check(z.regex(NAME, 'must be 1 to 63 of a-z, A-Z, 0-9, "_", ".", "-"'))),
  labels: lazy(() => z.record(text, text)),
  init: lazy(() => z.boolean()),
  mounts: lazy(() => z.array(mount())),
  ports: lazy(() => z.array(z.union([port, publishedPort()])).check(z.maxLength(MAX_PORTS))),
  publishAll: lazy(() => z.boolean()),
  ...limitSchemas,
  privileged: lazy(() => z.boolean()),
  userns: lazy(() => z.literal('private')),
  capAdd: lazy(() => z.array(text)),
  capDrop: lazy(() => z.array(text)),
  securityOpt: lazy(() => z.array(text)),
  ulimits: lazy(() =>
    z.record(text, z.union([z.number(), z.strictObject({ soft: z.number(), hard: z.number() })])),
  ),
  platform: () => text,
  storageSize: lazy(() => size.check(z.refine((value) => value !== 0, 'must not be 0'))),
  readOnly: lazy(() => z.boolean()),
  sysctls: lazy(() => z.record(text, text)),
  extraHosts: lazy(() =>
    z.record(
      text.check(z.regex(HOSTNAME, 'is not a hostname')),
      z.union([z.ipv4(), z.ipv6(), z.literal('host-gateway')]),
    ),
  ),
  ipc: sharedNamespace,
  pid: sharedNamespace,
  clockOffsets: lazy(() =>
    z.strictObject({ monotonic: z.optional(duration), boottime: z.optional(duration) }),
  ),
  devices: lazy(() => z.array(device())),
  accounting: lazy(() => z.boolean()),
  shmSize: () => size,
  network: lazy(() => z.enum(['default', 'none', 'host'])),
  stopSignal: lazy(() => text.check(z.refine(parses(signalNumber), 'must be a signal such as SIGTERM'))),
  stopTimeout: () => duration,
  logLimit: () => size,
  tty: terminalOption,
  openStdin: lazy(() => z.boolean()),
  detached: lazy(() => z.boolean()),
  autoRemove: lazy(() => z.boolean()),
  healthCheck: lazy(() => z.union([z.literal(false), healthCheckOption()])),
  spares: lazy(() => z.int().check(z.gte(0))),
  waitFor: lazy(() => z.object({ what: z.string(), timeout: duration, ready: z.function() })),
  signal: lazy(() => z.instanceof(AbortSignal)),
} satisfies { [K in keyof Required<ContainerOptions>]: () => z.ZodMiniType };

/** By the names in them: most calls of a process give the same ones. */
const checks = new Map<string, z.ZodMiniType>();

/**
 * Checks options that may come from plain JavaScript.
 *
 * @throws MayflyError `option.invalid` naming every wrong option.
 */
export function checkOptions(options: unknown): asserts options is ContainerOptions {
  const given = Object.entries(schemas).filter(([name]) => name in Object(options));
  const key = given.map(([name]) => name).join();
  let schema = checks.get(key);
  if (schema === undefined) {
    const shape = Object.fromEntries(given.map(([name, make]) => [name, z.optional(make())]));
    schema = z.strictObject({ ...shape, image: schemas.image() });
    checks.set(key, schema);
  }
  check(schema, { value: options, what: 'container options' });
}
