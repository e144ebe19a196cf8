import { rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { buildImage } from '../../builder/build-image.ts';
import type { BuildOptions, Entitlement } from '../../builder/build-options.ts';
import { findContext } from '../build/context.ts';
import { type ProgressMode, showBuild } from '../build/progress.ts';
import { readSecrets } from '../build/secrets.ts';
import type { Invocation } from '../command.ts';
import { parseEnvironment, parseLabels } from '../environment.ts';

type Options = {
  tag: readonly string[];
  file: string | undefined;
  buildArg: readonly string[];
  target: string | undefined;
  noCache: boolean;
  platform: string | undefined;
  secret: readonly string[];
  label: readonly string[];
  allow: readonly string[];
  pull: boolean;
  quiet: boolean;
  iidfile: string | undefined;
  progress: string;
};

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Progress goes to stderr, the image's id to stdout. */
export async function run({
  options,
  args,
  output,
  env,
}: Invocation<Options, { path: string }>): Promise<number> {
  const { quiet, iidfile, progress } = options;
  using paths = await findContext(args.path, options.file);
  // One of before must not be taken for that of a build that failed.
  if (iidfile !== undefined) rmSync(iidfile, { force: true });
  const mode = progress === 'auto' ? (process.stderr.isTTY ? 'tty' : 'plain') : progress;
  using shown = quiet ? undefined : showBuild(mode as ProgressMode, process.stderr);
  const stop = new AbortController();
  let ended: NodeJS.Signals | undefined;
  const end = (signal: NodeJS.Signals) => {
    ended = signal;
    stop.abort(new Error(`ended by ${signal}`));
  };
  for (const signal of ENDING) process.on(signal, end);
  try {
    const { id } = await buildImage({
      ...buildOptions(options, env),
      context: paths.context,
      ...(paths.dockerfile === undefined ? {} : { dockerfile: paths.dockerfile }),
      ...(shown === undefined ? {} : { onProgress: shown.onProgress }),
      signal: stop.signal,
    });
    if (iidfile !== undefined) writeFileSync(iidfile, id);
    shown?.[Symbol.dispose]();
    output.print(id);
    return 0;
  } catch (error) {
    shown?.[Symbol.dispose]();
    if (ended === undefined) throw error;
    output.warn(`mayfly: the build was ended by ${ended}`);
    return 128 + constants.signals[ended];
  } finally {
    for (const signal of ENDING) process.off(signal, end);
  }
}

function buildOptions(options: Options, env: NodeJS.ProcessEnv): Omit<BuildOptions, 'context'> {
  const { tag, buildArg, target, noCache, platform, secret, label, allow, pull } = options;
  return {
    tag,
    noCache,
    args: parseEnvironment(buildArg, env),
    secrets: readSecrets(secret, env),
    labels: parseLabels(label),
    allow: allow as readonly Entitlement[],
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
    ...(pull ? { pull: 'always' } : {}),
  };
}
