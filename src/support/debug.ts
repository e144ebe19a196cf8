import { debuglog } from 'node:util';

/** Takes a printf-like format (node:util, `format`) and its values. */
export type DebugLog = (format: string, ...values: unknown[]) => void;

/**
 * A log for whoever looks into mayfly itself; silent unless the environment variable `NODE_DEBUG` names its area:
 * `NODE_DEBUG=mayfly-cgroup`, or `NODE_DEBUG='mayfly*'` for all. Goes to stderr.
 */
export function debugLog(area: string): DebugLog {
  return debuglog(`mayfly-${area}`);
}
