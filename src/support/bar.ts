const WIDTH = 24;

/** `[======      ]`, of a share from 0 to 1. */
export function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * WIDTH);
  return `[${'='.repeat(full).padEnd(WIDTH, ' ')}]`;
}
