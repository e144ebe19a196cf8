import { closeDescriptor } from '../kernel/ffi/descriptor.ts';
import { call } from '../kernel/ffi/libc.ts';
import { encodeEndpoint } from '../kernel/sockets/address.ts';
import { sendDescriptors } from '../kernel/sockets/send-descriptors.ts';
import { openSocketPair } from '../kernel/sockets/unix.ts';
import { MayflyError } from '../support/error.ts';
import type { Publication } from './publish.ts';

// <asm-generic/socket.h>.
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_NOSIGNAL = 0x4000;
/** Seconds in which a forwarder answers that has nothing else to do. */
const TIMEOUT = 5;

/** The way to a forwarder that can be given other listening sockets, once, in the place of those it has begun with. */
export class PortAdoption implements Disposable {
  readonly #socket: number;
  /** The end that the forwarder gets, as long as it is open here; -1 from then on. */
  #theirs: number;
  #open = true;

  constructor() {
    [this.#socket, this.#theirs] = openSocketPair('the way for published ports');
  }

  get theirs(): number {
    return this.#theirs;
  }

  /** The forwarder has its end from now on, and nobody else has, so that its end is noticed. */
  launched(): void {
    if (this.#theirs >= 0) closeDescriptor(this.#theirs);
    this.#theirs = -1;
  }

  /**
   * Gives it the sockets, as many as it has, which shall lead to `address`. It accepts nothing on them until it is told to.
   *
   * @throws SystemError; MayflyError `network.forwarder-gone`
   */
  offer({ listeners }: Pick<Publication, 'listeners'>, address: string): void {
    const what = 'hand published ports over';
    const timeout = Buffer.from(BigInt64Array.of(BigInt(TIMEOUT), 0n).buffer);
    call('setsockopt', [this.#socket, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length], what);
    sendDescriptors(this.#socket, {
      bytes: Buffer.concat(
        listeners.map(({ container }) => encodeEndpoint({ host: address, port: container })),
      ),
      descriptors: listeners.map(({ fd }) => fd),
      what,
    });
    if (call('recv', [this.#socket, Buffer.alloc(1), 1, 0], what) === 1) return;
    throw new MayflyError('network.forwarder-gone', 'what is to listen on the published ports has ended');
  }

  /** Has it accept connections on what it has been given. @throws SystemError EPIPE when it has ended */
  begin(): void {
    call('send', [this.#socket, Buffer.alloc(1), 1, MSG_NOSIGNAL], 'open the published ports');
    this[Symbol.dispose]();
  }

  /** Leaves a forwarder that has been given nothing as it is, and ends one that has not been told to begin. Twice is no error. */
  [Symbol.dispose](): void {
    this.launched();
    if (!this.#open) return;
    this.#open = false;
    closeDescriptor(this.#socket);
  }
}
