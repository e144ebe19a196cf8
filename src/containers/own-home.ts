import { spreadDirectories } from '../files/spread.ts';
import { type Home, resolveHome } from '../support/home.ts';

/** Where this process keeps its state, with what is missing made. */
export function openHome(env: NodeJS.ProcessEnv): Home {
  return resolveHome(env, (directory, { containers, snapshots, layers }) => {
    // Each container, snapshot and layer is a tree of its own.
    if ([containers, snapshots, layers].includes(directory)) spreadDirectories(directory);
  });
}
