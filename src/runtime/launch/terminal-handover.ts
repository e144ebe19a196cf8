import { openSocketPair } from '../../kernel/sockets/unix.ts';

/** By which a program hands a terminal to the shim, both ends by the meaning that they have there. */
export function openHandover(): { input: number; handover: number } {
  const [input, handover] = openSocketPair('the way for a terminal');
  return { input, handover };
}
