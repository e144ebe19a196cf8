import { readFileSync } from 'node:fs';
import { UsageError } from '../usage-error.ts';

/**
 * Secrets as docker takes them: `id=NAME[,src=FILE]`, or `id=NAME,env=VARIABLE`. Without either the file that is called as the id.
 *
 * @throws UsageError
 */
export function readSecrets(
  given: readonly string[],
  env: NodeJS.ProcessEnv,
): Record<string, string | Uint8Array> {
  return Object.fromEntries(given.map((text) => readSecret(text, env)));
}

function readSecret(text: string, env: NodeJS.ProcessEnv): [string, string | Uint8Array] {
  const fields = new Map(text.split(',').map((field) => field.split(/=(.*)/s, 2) as [string, string]));
  const { id, src, source = src, env: variable, type, ...rest } = Object.fromEntries(fields);
  const [odd] = Object.keys(rest);
  if (!id || odd !== undefined || ![undefined, 'file', 'env'].includes(type))
    throw new UsageError(`not a secret: ${text}`, 'write id=NAME,src=FILE or id=NAME,env=VARIABLE');
  const name = variable ?? (type === 'env' ? (source ?? id) : undefined);
  if (name === undefined) return [id, readFile(source ?? id)];
  const value = env[name];
  if (value === undefined) throw new UsageError(`the variable ${name} is not set`, 'the secret is its value');
  return [id, value];
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new UsageError(`the secret cannot be read: ${(cause as Error).message}`, 'check src');
  }
}
