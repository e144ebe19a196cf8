import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expectJson, readJson, writeJson } from '../files/json-file.ts';
import type { ImageConfig } from '../images/store/image.ts';
import type { Hierarchies } from '../kernel/cgroups/hierarchies.ts';
import { findPlaces } from '../kernel/cgroups/places.ts';
import type { HeldDescriptor } from '../kernel/processes/held-descriptor.ts';
import type { ProcessIdentity } from '../kernel/processes/process-identity.ts';
import type { AttachmentFacts } from '../networks/attachment.ts';
import type { PublishedPort } from '../networks/publish.ts';
import type { ContainerSpec, NetworkSteps, ProcessSpec } from '../runtime/spec/container-spec.ts';
import { MayflyError } from '../support/error.ts';
import type { Home } from '../support/home.ts';
import { lazy } from '../support/lazy.ts';
import { z } from '../support/zod.ts';
import type { ContainerOptions } from './container-options.ts';
import type { PendingChange } from './pending-change.ts';

/**
 * Everything that a process needs to know of a container that it has not started: `record.json` in the container's directory.
 *
 * What the shim knows (the pid of init, how the run ended) stands in the run record beside it.
 */
export interface ContainerRecord {
  readonly version: typeof VERSION;
  readonly name: string;
  /** ISO 8601, in UTC. */
  readonly createdAt: string;
  /** When the present run began. */
  readonly startedAt: string;
  /** How many runs there have been after the first; -1 before that. */
  readonly restarts: number;
  /** True when it has ended and its address has been given back; default: false. */
  readonly released?: boolean;
  /** The process with which the container ends, unless it is detached. */
  readonly launcher: ProcessIdentity & {
    /** What a thread of it other than the main one holds of the container. */
    readonly held: HeldDescriptor | undefined;
  };
  /** Host pid of the shim. Means something only while the container's lock is held. */
  readonly shimPid: number;
  readonly image: RecordedImage;
  readonly options: RecordedOptions;
  readonly spec: RecordedSpec;
  /** Cgroups of process trees that others have taken over from, as long as they may be there. Default: none. */
  readonly formerCgroups?: readonly string[];
  readonly attachment: AttachmentFacts;
  readonly published: readonly PublishedPort[];
  /** What has been begun with it and may not be finished. Default: nothing. */
  readonly change?: PendingChange;
}

export interface RecordedImage {
  readonly id: string;
  /** What the caller named it by, else any name it has, else its id. */
  readonly reference: string;
  readonly config: ImageConfig;
  /** The layers' diffIDs, bottom to top. */
  readonly layers: readonly string[];
}

/** The options as given, but for what means something only to the call that they were given to. */
export type RecordedOptions = Omit<ContainerOptions, 'image' | 'waitFor' | 'signal'>;

/** The spec, but for what is compiled anew for every program. */
export type RecordedSpec = Omit<ContainerSpec, 'process' | 'network'> & {
  readonly process: Omit<ProcessSpec, 'seccomp'>;
  readonly network: Pick<NetworkSteps, 'host'>;
};

/** Changes with every change of what older versions wrote or newer ones need. */
const VERSION = 2;

/** The rest is ours to trust: nobody else writes into the home. */
const schema = lazy(() =>
  z.looseObject({ version: z.literal(VERSION), name: z.string(), shimPid: z.number() }),
);

export function newRecord(
  facts: Omit<ContainerRecord, 'version' | 'options' | 'spec'> & {
    options: ContainerOptions;
    spec: ContainerSpec;
  },
): ContainerRecord {
  const { image: _, waitFor: __, signal: ___, ...options } = facts.options;
  const { seccomp: ____, ...process } = facts.spec.process;
  const spec = { ...facts.spec, process, network: { host: facts.spec.network.host } };
  return { ...facts, version: VERSION, options, spec };
}

/**
 * Writes by rename, so that a reader sees all of it or nothing.
 *
 * @param directory name of the directory. Default: the container's id
 */
export function writeRecord(home: Home, record: ContainerRecord, directory = record.spec.id): void {
  const path = recordPath(home, directory);
  writeJson(path, record);
}

/** Makes ready what the next `writeRecord` needs, for one that shall be quick. */
export function expectRecord(home: Home, id: string): void {
  expectJson(recordPath(home, id));
}

/**
 * Undefined for a container that has just begun or has just gone.
 *
 * @throws MayflyError `container.unreadable-record` when another version of mayfly wrote it.
 */
export function readRecord(home: Home, id: string): ContainerRecord | undefined {
  const path = recordPath(home, id);
  const content = readJson(path);
  if (content === undefined) return undefined;
  const { data, error } = schema().safeParse(content);
  if (data !== undefined) return data as unknown as ContainerRecord;
  throw new MayflyError('container.unreadable-record', `${path} is not a record that this version can read`, {
    cause: error,
    hint: 'use the version of mayfly that started the container',
  });
}

/** The same; undefined for what is about to take over from a container, or was taken over from just now, whose record that is. */
export function readOwnRecord(home: Home, id: string): ContainerRecord | undefined {
  const record = readRecord(home, id);
  return record?.spec.id === id ? record : undefined;
}

const recordPath = (home: Home, id: string) => join(home.containers, id, 'record.json');

/** The names of the cgroups that are there of process trees that others have taken over from. */
export function presentCgroups(hierarchies: Hierarchies, { formerCgroups = [] }: ContainerRecord): string[] {
  return formerCgroups.filter((name) => findPlaces(hierarchies, name).all.some(existsSync));
}

/** The names of all cgroups that may be there of a container. */
export function cgroupNames({ spec, formerCgroups = [] }: ContainerRecord): string[] {
  return [...new Set([spec.id, spec.cgroup.name, ...formerCgroups])];
}
