import { isIP } from 'node:net';
import { posix } from 'node:path';
import { z } from 'zod';
import { check } from '../support/check.ts';
import type { ContainerOptions } from './container-options.ts';
import { healthCheckOption } from './health/health-check-option.ts';
import { limitShape } from './limits/limit-schema.ts';
import { NAME } from './names.ts';
import { argv, duration, env, parses, path, port, size, text } from './option-schemas.ts';
import { signalNumber } from './signals.ts';
import { terminalOption } from './terminal.ts';

/** RFC 1123, as sethostname(2) limits it. */
const HOSTNAME = /^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,62}[a-zA-Z0-9])?$/;

const bind = z.strictObject({
  type: z.literal('bind'),
  source: path,
  target: path,
  readOnly: z.boolean().optional(),
});
const tmpfs = z.strictObject({
  type: z.literal('tmpfs'),
  target: path,
  size: size.optional(),
  mode: z.number().int().min(0).max(0o7777).optional(),
});
const device = z.strictObject({
  host: path,
  container: path.refine((value) => posix.normalize(value) !== '/', 'must be a path below /').optional(),
  access: z
    .string()
    .regex(/^[rwm]{1,3}$/, 'must be any of r, w, m')
    .optional(),
});
const sharedNamespace = z.strictObject({ container: text.min(1) });
const waitStrategy = z.object({ what: z.string(), timeout: duration, ready: z.function() });
const signal = z.instanceof(AbortSignal);

/** Each takes up to two descriptors of the shim's. */
const MAX_PORTS = 100;
const publishedPort = z.strictObject({
  container: port,
  host: port.or(z.literal(0)).optional(),
  hostIp: text.refine((value) => isIP(value) !== 0, 'must be an IP address').optional(),
});

/** Every option, so that one which nobody checks does not compile. */
const schema = z.strictObject({
  image: z.union([
    text,
    z.object({ id: z.string(), layers: z.array(z.unknown()), config: z.object({}).loose() }).loose(),
  ]),
  pull: z.enum(['never', 'missing', 'always']),
  command: argv,
  entrypoint: z.array(text),
  env,
  user: text,
  groupAdd: z.array(text),
  cwd: path,
  hostname: text.regex(HOSTNAME, 'is not a hostname'),
  name: text.regex(NAME, 'must be 1 to 63 of a-z, A-Z, 0-9, "_", ".", "-"'),
  labels: z.record(text, text),
  init: z.boolean(),
  mounts: z.array(z.discriminatedUnion('type', [bind, tmpfs])),
  ports: z.array(z.union([port, publishedPort])).max(MAX_PORTS),
  publishAll: z.boolean(),
  ...limitShape,
  privileged: z.boolean(),
  userns: z.literal('private'),
  capAdd: z.array(text),
  capDrop: z.array(text),
  securityOpt: z.array(text),
  ulimits: z.record(text, z.union([z.number(), z.strictObject({ soft: z.number(), hard: z.number() })])),
  platform: text,
  storageSize: size.refine((value) => value !== 0, 'must not be 0'),
  readOnly: z.boolean(),
  sysctls: z.record(text, text),
  extraHosts: z.record(
    text.regex(HOSTNAME, 'is not a hostname'),
    z.union([z.ipv4(), z.ipv6(), z.literal('host-gateway')]),
  ),
  ipc: z.union([z.literal('private'), sharedNamespace]),
  pid: z.union([z.literal('private'), sharedNamespace]),
  clockOffsets: z.strictObject({ monotonic: duration.optional(), boottime: duration.optional() }),
  devices: z.array(device),
  accounting: z.boolean(),
  shmSize: size,
  network: z.enum(['default', 'none', 'host']),
  stopSignal: text.refine(parses(signalNumber), 'must be a signal such as SIGTERM'),
  stopTimeout: duration,
  logLimit: size,
  tty: terminalOption,
  openStdin: z.boolean(),
  detached: z.boolean(),
  autoRemove: z.boolean(),
  healthCheck: z.union([z.literal(false), healthCheckOption]),
  spares: z.int().min(0),
  waitFor: waitStrategy,
  signal,
} satisfies { [K in keyof Required<ContainerOptions>]: z.ZodType });

const optional = schema.partial().required({ image: true });

/**
 * Checks options that may come from plain JavaScript.
 *
 * @throws MayflyError `option.invalid` naming every wrong option.
 */
export function checkOptions(options: unknown): asserts options is ContainerOptions {
  check(optional, { value: options, what: 'container options' });
}
