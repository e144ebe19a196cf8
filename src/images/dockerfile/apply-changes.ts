import type { ImageConfig } from '../store/image.ts';
import { CONFIG_CHANGES, isConfigKeyword } from './config-changes.ts';
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
  return parsed.instructions.reduce<ImageConfig>((changed, instruction) => {
    const { keyword, place } = instruction;
    if (!isConfigKeyword(keyword)) {
      throw new DockerfileError('build.unknown-instruction', `${keyword} does not change a configuration`, {
        place,
        hint: `there are: ${Object.keys(CONFIG_CHANGES).join(', ')}`,
      });
    }
    const lookup = (name: string) =>
      changed.Env?.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
    return placed(place, () =>
      CONFIG_CHANGES[keyword](changed, instruction, { lookup, escape: parsed.escape }),
    );
  }, config);
}
