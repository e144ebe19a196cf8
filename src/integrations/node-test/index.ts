/** `mayfly/node-test`: containers for tests of Node's own runner. */

export {
  type ContainerDescriptor,
  type ContainersOf,
  container,
  type Descriptors,
  type FixtureOptions,
  type Reset,
  seedContainers,
} from '../fixtures/descriptor.ts';
export { type ContainerTest, withContainers } from './with-containers.ts';
