import { spawnSync } from 'node:child_process';
import { MayflyError } from '../../support/error.ts';

/** Milliseconds after which a tool of the system is taken for hung: they all work on the kernel's tables. */
const TIMEOUT = 30_000;

/**
 * Runs a small program of the system to its end and returns what it wrote to stdout; this process stands still meanwhile.
 *
 * Plain spawnSync, because what every start may need must not cost it the loading of a package.
 *
 * @throws the system's error (`ENOENT`: it is not installed); MayflyError `host.tool-failed` with what it wrote to stderr
 */
export function runTool(tool: string, args: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8', timeout: TIMEOUT });
  if (error !== undefined) throw error;
  if (status === 0) return stdout.trim();
  throw new MayflyError('host.tool-failed', `${tool} ${args.join(' ')} failed: ${stderr.trim()}`);
}
