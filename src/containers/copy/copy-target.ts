import { closeSync } from 'node:fs';
import type { WorkerLauncher } from '../../files/launcher.ts';
import { MayflyError } from '../../support/error.ts';

/** A running container, as far as copies need it. */
export interface CopyTarget {
  readonly name: string;
  /** Opens the root directory of the container as its processes see it, mounts included. @throws MayflyError `container.exited` */
  readonly openRoot: () => Promise<number>;
  /** Default: workers are our own children. */
  readonly launcher?: WorkerLauncher | undefined;
}

/** Runs `use` with the container's root open. */
export async function withRoot<T>(target: CopyTarget, use: (root: number) => T | Promise<T>): Promise<T> {
  const root = await target.openRoot();
  try {
    return await use(root);
  } finally {
    closeSync(root);
  }
}

/** @throws MayflyError `option.invalid` */
export function checkPath(path: string): void {
  if (path.startsWith('/') && !path.includes('\0')) return;
  throw new MayflyError('option.invalid', `${JSON.stringify(path)} is no absolute path in the container`);
}
