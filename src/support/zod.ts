/**
 * The checks of options and files. Of zod its small form, whose schemas are functions and no objects with forty methods each: making those
 * took a tenth of what a short command takes.
 */

import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';

// As zod itself has it, which leaves its small form without words.
z.config(en());

export { $ZodError as ZodError } from 'zod/v4/core';
export { z };
