import type { HttpClient } from './http/http-client.ts';
import { discard } from './http/response-body.ts';
import type { RegistrySettings } from './registries-config.ts';

/** Where the API of Docker Hub really is. */
const DOCKER_HUB_API = 'registry-1.docker.io';

/**
 * Base URL of a registry's API. Docker Hub has it under another name; an insecure registry is asked which scheme it
 * speaks, everyone else speaks https.
 */
export async function resolveBase(
  http: HttpClient,
  { host, settings, signal }: { host: string; settings: RegistrySettings; signal?: AbortSignal | undefined },
): Promise<URL> {
  if (!settings.insecure) return new URL(`https://${host === 'docker.io' ? DOCKER_HUB_API : host}`);
  const plain = new URL(`http://${host}`);
  const secure = new URL(`https://${host}`);
  try {
    const { status, body } = await http.send({ method: 'GET', url: new URL('/v2/', plain), signal });
    discard(body);
    // With 400 a server says that it was spoken to in the wrong scheme.
    return status === 400 ? secure : plain;
  } catch (error) {
    signal?.throwIfAborted();
    if ((error as { code?: string }).code === 'registry.broken-connection') return secure;
    throw error;
  }
}
