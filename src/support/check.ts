import { MayflyError } from './error.ts';
import type { z } from './zod.ts';

/**
 * A value that may come from plain JavaScript, as its schema has it.
 *
 * `what` names it in the message: `container options`.
 *
 * @throws MayflyError `option.invalid` naming everything that is wrong.
 */
export function check<Schema extends z.ZodMiniType>(
  schema: Schema,
  { value, what }: { value: unknown; what: string },
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `${issue.path.join('.') || 'options'}: ${issue.message}`);
  throw new MayflyError('option.invalid', `invalid ${what}\n  ${lines.join('\n  ')}`, {
    cause: result.error,
    hint: 'correct the options named above',
  });
}
