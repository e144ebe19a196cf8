import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { openSocketPair } from '../../kernel/sockets/unix.ts';
import { AttachedStreams } from './attached-streams.ts';

/** Streams for a container that is about to start: nothing that it writes is missed, and it waits while nobody reads. */
export async function withStreams<Started>(
  start: (attached: number) => Promise<Started>,
): Promise<{ started: Started; streams: AttachedStreams }> {
  const [ours, theirs] = openSocketPair("the client's socket");
  try {
    const started = await start(theirs);
    return { started, streams: new AttachedStreams(ours) };
  } catch (error) {
    closeDescriptor(ours);
    throw error;
  } finally {
    closeDescriptor(theirs);
  }
}
