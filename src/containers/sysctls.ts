import { MayflyError } from '../support/error.ts';
import type { ContainerOptions } from './container-options.ts';

/** Settings that belong to a namespace of the container's own (runc libcontainer/configs/validate, sysctl). */
const OF_IPC = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);
const OF_UTS = new Set(['kernel.domainname']);
/** An interface's name may hold a dot, which is written as a slash then, as in sysctl(8). */
const KEY = /^[a-zA-Z0-9_-]+([./][a-zA-Z0-9_-]+)+$/;
/** One line, of numbers and words. */
const VALUE = /^[\x20-\x7e\t]+$/;

/**
 * The settings as paths below /proc/sys.
 *
 * @throws MayflyError `option.sysctl-refused` for one that is not the container's own, or that could be read as two (CVE-2022-0811)
 */
export function resolveSysctls({
  sysctls = {},
  network,
  ipc,
}: Pick<ContainerOptions, 'sysctls' | 'network' | 'ipc'>): { path: string; value: string }[] {
  return Object.entries(sysctls).map(([key, value]) => {
    if (!KEY.test(key)) throw refused(key, 'it is no name of a setting');
    if (!VALUE.test(value)) throw refused(key, 'its value is not one line of text');
    const name = key.includes('/') && !key.includes('.') ? key.replaceAll('/', '.') : key;
    const ofNetwork = name.startsWith('net.');
    if (ofNetwork && network === 'host') throw refused(key, 'it would change the network of the host');
    const ofIpc = OF_IPC.has(name) || name.startsWith('fs.mqueue.');
    if (ofIpc && ipc !== undefined && ipc !== 'private')
      throw refused(key, 'the container shares that of another one');
    if (!ofNetwork && !ofIpc && !OF_UTS.has(name)) throw refused(key, 'it belongs to the whole machine');
    // Slashes and dots change places, so that net.ipv4.conf.eth0/1.forwarding names the interface eth0.1.
    return { path: name.replace(/[./]/g, (mark) => (mark === '.' ? '/' : '.')), value };
  });
}

function refused(key: string, why: string): MayflyError {
  return new MayflyError('option.sysctl-refused', `the sysctl ${JSON.stringify(key)} is not set: ${why}`, {
    hint: 'a container can set net.*, fs.mqueue.*, kernel.domainname, kernel.sem, kernel.msg* and kernel.shm*',
  });
}
