import { isErrno } from '../ffi/system-error.ts';
import { acknowledged } from '../netlink/message.ts';
import { exchange } from '../netlink/socket.ts';
import { failureOf, type Outcome, WORKS } from './throwaway.ts';

const RTM_DELLINK = 17;
/** The kernel counts interfaces up from 1 and never comes to this one. */
const NO_INTERFACE = 0x7fff_ffff;

/**
 * Whether this process may change the interfaces of the network namespace that it is in. It asks for an interface to be
 * removed that does not exist: who may not hears EPERM, who may hears ENODEV.
 */
export function manageInterfaces(): Outcome {
  const header = Buffer.alloc(16);
  header.writeInt32LE(NO_INTERFACE, 4);
  const what = 'change the interfaces of this network namespace';
  try {
    exchange(acknowledged([{ type: RTM_DELLINK, payload: [header] }]), { family: 'NETLINK_ROUTE', what });
  } catch (error) {
    if (!isErrno(error, 'ENODEV')) return failureOf(error);
  }
  return WORKS;
}
