import { type CommandTable, command } from '../command.ts';
import { CONTAINER, FORMAT, NO_TRUNC, QUIET } from './arguments.ts';

const NETWORK = { help: 'Name of the network', completes: 'network' } as const;
const NETWORKS = { network: { ...NETWORK, help: 'Names of networks', variadic: true } } as const;

/** Commands on networks. */
export const NETWORK_COMMANDS = {
  'network ls': command({
    aliases: [],
    summary: 'List networks',
    options: { format: FORMAT, noTrunc: NO_TRUNC, quiet: QUIET },
    examples: [{ command: 'mayfly network ls', does: 'Lists what run takes after --network' }],
    load: () => import('../commands/network-ls.ts'),
  }),
  'network inspect': command({
    summary: 'Show all that is known of networks, and who is on them',
    options: { format: { ...FORMAT, short: 'f' } },
    arguments: NETWORKS,
    examples: [
      {
        command: "mayfly network inspect -f '{{(index .IPAM.Config 0).Subnet}}' default",
        does: 'Shows its addresses',
      },
    ],
    load: () => import('../commands/network-inspect.ts'),
  }),
  'network create': command({
    summary: 'Make a network; not there yet',
    arguments: { network: { help: 'Name of the network' } },
    examples: [{ command: 'mayfly network create mine', does: 'Says that it is not there yet' }],
    load: () => import('../commands/network-create.ts'),
  }),
  'network rm': command({
    summary: 'Remove networks',
    description: 'The networks that there are come with mayfly, and none of them can be removed.',
    arguments: NETWORKS,
    examples: [{ command: 'mayfly network rm mine', does: 'Removes the network mine' }],
    load: () => import('../commands/network-rm.ts'),
  }),
  'network connect': command({
    summary: 'Put a container on one more network; not there yet',
    arguments: { network: NETWORK, container: CONTAINER },
    examples: [{ command: 'mayfly network connect mine db', does: 'Says that it is not there yet' }],
    load: () => import('../commands/network-connect.ts'),
  }),
  'network disconnect': command({
    summary: 'Take a container off a network; not there yet',
    arguments: { network: NETWORK, container: CONTAINER },
    examples: [{ command: 'mayfly network disconnect mine db', does: 'Says that it is not there yet' }],
    load: () => import('../commands/network-connect.ts'),
  }),
} satisfies CommandTable;
