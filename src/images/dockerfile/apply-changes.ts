import type { ImageConfig } from '../store/image.ts';
import { CONFIG_CHANGES, changeConfig, changesConfig } from './config-changes.ts';
import { DockerfileError } from './dockerfile-error.ts';
import { parseDockerfile } from './parse.ts';
import { placed } from './placed.ts';

/**
 * A configuration changed by Dockerfile lines, such as `CMD ["serve"]`. Variables are those of the image's environment.
 *
 * @param changes instructions that change nothing but the configuration: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD,
 * SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR
 * @throws DockerfileError `build.*`
 */
export function applyChanges(config: ImageConfig, changes: readonly string[]): ImageConfig {
  if (changes.length === 0) return config;
  const parsed = parseDockerfile(changes.join('\n'), 'changes');
  let changed = config;
  for (const [at, instruction] of parsed.instructions.entries()) {
    const { keyword, place } = instruction;
    if (!changesConfig(instruction)) {
      throw new DockerfileError('build.unknown-instruction', `${keyword} does not change a configuration`, {
        place,
        hint: `there are: ${Object.keys(CONFIG_CHANGES).join(', ')}`,
      });
    }
    const before = changed;
    const lookup = (name: string) =>
      before.Env?.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
    const hasCmd = parsed.instructions.slice(0, at).some((other) => other.keyword === 'CMD');
    const scope = { lookup, escape: parsed.escape };
    changed = placed(place, () => changeConfig(before, instruction, { scope, hasCmd }));
  }
  return changed;
}
