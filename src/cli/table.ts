import type { CommandTable } from './command.ts';
import { CONTAINER_COMMANDS } from './table/containers.ts';
import { IMAGE_COMMANDS } from './table/images.ts';
import { SYSTEM_COMMANDS } from './table/system.ts';

/** All commands, in the order in which the help lists them. */
export const COMMANDS = {
  ...CONTAINER_COMMANDS,
  ...IMAGE_COMMANDS,
  ...SYSTEM_COMMANDS,
} satisfies CommandTable;
