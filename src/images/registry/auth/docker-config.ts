import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isErrno } from '../../../kernel/ffi/system-error.ts';
import { MayflyError } from '../../../support/error.ts';
import { lazy } from '../../../support/lazy.ts';
import { ZodError, z } from '../../../support/zod.ts';

const entrySchema = lazy(() =>
  z.partial(
    z.object({
      auth: z.string(),
      username: z.string(),
      password: z.string(),
      identitytoken: z.string(),
      registrytoken: z.string(),
    }),
  ),
);

const schema = lazy(() =>
  z.partial(
    z.object({
      auths: z.record(z.string(), entrySchema()),
      credHelpers: z.record(z.string(), z.string()),
      credsStore: z.string(),
    }),
  ),
);

export type DockerConfig = z.infer<ReturnType<typeof schema>>;
export type DockerAuthEntry = z.infer<ReturnType<typeof entrySchema>>;

/** The file that `docker login` writes: config.json in `DOCKER_CONFIG` or `~/.docker`. */
export function dockerConfigPath(env: NodeJS.ProcessEnv): string {
  return join(env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker'), 'config.json');
}

/**
 * What `docker login` has written (docs.docker.com/reference/cli/docker, "Configuration files").
 *
 * The JSON in `DOCKER_AUTH_CONFIG` counts alone where it is set, as in CI systems; else config.json in `DOCKER_CONFIG` or
 * `~/.docker`. No file, no credentials.
 *
 * @throws MayflyError `registry.bad-config`
 */
export function readDockerConfig(env: NodeJS.ProcessEnv): DockerConfig {
  if (env.DOCKER_AUTH_CONFIG) return parse('DOCKER_AUTH_CONFIG', env.DOCKER_AUTH_CONFIG);
  const path = dockerConfigPath(env);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return {};
    throw badConfig(path, cause);
  }
  return parse(path, text);
}

function parse(name: string, text: string): DockerConfig {
  try {
    return schema().parse(JSON.parse(text));
  } catch (cause) {
    throw badConfig(name, cause);
  }
}

/** Without the file's content, which holds passwords. */
function badConfig(name: string, cause: unknown): MayflyError {
  const why = cause instanceof ZodError ? `: ${z.prettifyError(cause)}` : '';
  return new MayflyError('registry.bad-config', `cannot use the credentials in ${name}${why}`, {
    ...(cause instanceof SyntaxError ? {} : { cause }),
    hint: 'it has to be what docker login writes',
  });
}
