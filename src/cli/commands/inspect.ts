import type { ContainerInspectInfo } from 'dockerode';
import { getContainer } from '../../containers/find.ts';
import type { ImageSummary } from '../../containers/images/image-summary.ts';
import { inspectImage } from '../../containers/images/local-images.ts';
import { isMayflyError } from '../../support/error.ts';
import type { Invocation } from '../command.ts';
import { printInspected } from '../inspected.ts';

type Options = { format: string | undefined; type: string | undefined };

export function run({
  options,
  args,
  output,
}: Invocation<Options, { name: readonly string[] }>): Promise<number> {
  const { format, type } = options;
  return printInspected(args.name, { inspect: (name) => inspect(name, type), format, output });
}

/** A container of that name, else an image. */
async function inspect(name: string, type: string | undefined): Promise<ContainerInspectInfo | object> {
  if (type === 'image') return imageInfo(await inspectImage(name));
  try {
    await using container = await getContainer(name);
    return await container.inspect();
  } catch (error) {
    if (type === 'container' || !isMayflyError(error, 'container.not-found')) throw error;
    return imageInfo(await inspectImage(name).catch(() => Promise.reject(error)));
  }
}

/** `GET /images/{name}/json` of the Docker Engine API, as far as mayfly has the notions. */
function imageInfo({
  id,
  references,
  repoDigests,
  platform,
  created,
  author,
  config,
  layers,
  size,
}: ImageSummary): object {
  const [os, architecture, variant] = platform.split('/');
  return {
    Id: id,
    RepoTags: references,
    RepoDigests: repoDigests,
    Created: created ?? '',
    Author: author ?? '',
    Config: config,
    Architecture: architecture,
    ...(variant === undefined ? {} : { Variant: variant }),
    Os: os,
    Size: size,
    RootFS: { Type: 'layers', Layers: layers },
  };
}
