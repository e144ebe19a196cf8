/**
 * The checks of options and files. Of zod its small form: its schemas are without the forty methods that each of the other form gets when
 * it is made, which a short command has no use for.
 */

import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';

// As zod itself has it, which leaves its small form without words.
z.config(en());

export { $ZodError as ZodError } from 'zod/v4/core';
export { z };
