import type { TerminalSize } from '../runtime/spec/container-spec.ts';
import { lazy } from '../support/lazy.ts';
import { z } from '../support/zod.ts';

/** Whether a process has a terminal, and how large it is to begin with. `true`: 80 columns, 24 rows. */
export type TerminalOption = boolean | TerminalSize;

const DEFAULT_SIZE = { columns: 80, rows: 24 } as const;
export const terminalOption = lazy(() => {
  const characters = z.int().check(z.gte(0), z.lte(65_535));
  return z.union([z.boolean(), z.strictObject({ columns: characters, rows: characters })]);
});

/** Undefined: no terminal. */
export function resolveTerminal(option: TerminalOption = false): TerminalSize | undefined {
  if (option === false) return undefined;
  return option === true ? DEFAULT_SIZE : option;
}
