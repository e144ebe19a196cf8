/** `mayfly/vitest`: containers as fixtures of vitest, 3.2 or later. */

export {
  type ContainerDescriptor,
  type ContainersOf,
  container,
  type Descriptors,
  type FixtureOptions,
  type Reset,
  seedContainers,
} from '../fixtures/descriptor.ts';
export { withContainers } from './with-containers.ts';
