import { MayflyError } from 'mayfly';

type Value = string | number | boolean;

/** Settings of redis.conf: one value, or several. */
export type RedisConfig = Readonly<Record<string, Value | readonly Value[]>>;

const NAME = /^[a-z][a-z0-9-]*$/i;
const RESERVED: Readonly<Record<string, string>> = {
  requirepass: 'use the option password',
  port: 'leave it; every container has its own address',
};

/**
 * Arguments of redis-server, each a line of redis.conf with its values quoted, so that they may hold anything.
 *
 * @throws MayflyError `option.invalid` naming what cannot be set
 */
export function configArguments(config: RedisConfig): string[] {
  return Object.entries(config).map(([name, value]) => {
    const reserved = Object.hasOwn(RESERVED, name.toLowerCase()) ? RESERVED[name.toLowerCase()] : undefined;
    if (reserved !== undefined) throw invalid(`config.${name} cannot be set`, reserved);
    return configArgument(name, value);
  });
}

/** `--maxmemory "64mb"`. @throws MayflyError `option.invalid` */
export function configArgument(name: string, value: RedisConfig[string]): string {
  const values = [value].flat();
  if (!NAME.test(name)) throw invalid(`${JSON.stringify(name)} is no setting`, 'write it as in redis.conf');
  if (values.length === 0 || !values.every((one) => ['string', 'number', 'boolean'].includes(typeof one)))
    throw invalid(`config.${name} is neither text nor number nor boolean`, 'several values go into a list');
  return `--${name} ${values.map(quoted).join(' ')}`;
}

/** The quotes of redis.conf (sds.c, sdssplitargs), byte by byte. */
function quoted(value: Value): string {
  const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
  const plain = (byte: number) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
  const written = [...Buffer.from(text)].map((byte) =>
    plain(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  return `"${written.join('')}"`;
}

function invalid(what: string, hint: string): MayflyError {
  return new MayflyError('option.invalid', `redis: ${what}`, { hint });
}
