import { posix } from 'node:path';
import type { MountStub } from '../files/request.ts';
import { LayersView } from '../images/layers/layers-view.ts';
import type { StepContext } from './stage-builder.ts';

/** What every container has mounted, whatever its image has there. */
const ALWAYS = ['/proc', '/sys', '/dev', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];

/** What the runtime is going to make in a RUN's root, only to mount on it, where the layers below have nothing. */
export function findStubs({ build, state }: StepContext, targets: readonly string[]): MountStub[] {
  const { opaque, name } = build.engine.rung;
  const view = new LayersView(state.layers, opaque);
  return [...ALWAYS, ...targets].flatMap((target) => {
    const { present, missing } = view.resolve(target);
    if (missing.length === 0 || missing.includes('..')) return [];
    const made = missing.map((_, at) => posix.join(present, ...missing.slice(0, at + 1)));
    // An ordinary user sees other ids than the worker.
    const above = name === 'root' ? directoriesDownTo(present) : [];
    return {
      made: made.toReversed(),
      copied: above.map((path) => {
        const { mode, uid, gid } = view.lstat(path)!;
        return { path, mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid) };
      }),
    };
  });
}

/** `/a/b`, `/a`: overlay copies them up when something is made below. */
function directoriesDownTo(path: string): string[] {
  const names = path.split('/').filter(Boolean);
  return names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`).toReversed();
}
