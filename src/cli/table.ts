import type { CommandTable } from './command.ts';
import { CONTAINER_FILE_COMMANDS } from './table/container-files.ts';
import { CONTAINER_COMMANDS } from './table/containers.ts';
import { IMAGE_COMMANDS } from './table/images.ts';
import { NETWORK_COMMANDS } from './table/networks.ts';
import { RUNNING_COMMANDS } from './table/running.ts';
import { SYSTEM_COMMANDS } from './table/system.ts';

/** All commands, in the order in which the help lists them. */
export const COMMANDS = {
  ...RUNNING_COMMANDS,
  ...CONTAINER_COMMANDS,
  ...CONTAINER_FILE_COMMANDS,
  ...IMAGE_COMMANDS,
  ...NETWORK_COMMANDS,
  ...SYSTEM_COMMANDS,
} satisfies CommandTable;
