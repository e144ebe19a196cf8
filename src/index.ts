/** mayfly's public API. */

// The declarations have to name every preset's module, or its augmentation of `Presets` would not reach users.
export type { PostgresExtras, PostgresOptions } from 'mayfly/presets/postgres';
export type { RedisExtras, RedisOptions } from 'mayfly/presets/redis';
export { buildImage } from './builder/build-image.ts';
export type { BuildEvent, BuildOptions, BuildStep, Entitlement } from './builder/build-options.ts';
export type { AttachedStreams } from './containers/attach/attached-streams.ts';
export type { CommitOptions } from './containers/commit.ts';
export { Container } from './containers/container.ts';
export { ContainerError, type ContainerExit } from './containers/container-error.ts';
export type { ContainerOptions, MountOption } from './containers/container-options.ts';
export type {
  CopiedPath,
  CopyFromOptions,
  CopyToHostOptions,
  CopyTreeOptions,
} from './containers/copy/copied-path.ts';
export type { CopySource, CopyToOptions } from './containers/copy/copy-to.ts';
export type { DeviceOption } from './containers/devices.ts';
export type { Check, CheckGroup, Rung } from './containers/doctor/check.ts';
export { type Diagnosis, doctor } from './containers/doctor/doctor.ts';
export type { ContainerEvents } from './containers/events.ts';
export type { ExecOptions, ExecResult } from './containers/exec/exec.ts';
export type { ExecStream, ExecStreamOptions } from './containers/exec/exec-stream.ts';
export type { ExecTerminalOptions, TerminalStream } from './containers/exec/terminal-stream.ts';
export type { ExportOptions } from './containers/export.ts';
export { getContainer } from './containers/find.ts';
export type { ContainerHealth } from './containers/health/health.ts';
export type { HealthCheckOption } from './containers/health/health-check-option.ts';
export type { HealthStatus, ProbeResult } from './containers/health/health-state.ts';
export type { ImageSummary } from './containers/images/image-summary.ts';
export {
  diskUsage,
  historyOf,
  inspectImage,
  type ListImagesOptions,
  listImages,
  tagImage,
  verifyImages,
} from './containers/images/local-images.ts';
export { type Login, login, logout } from './containers/images/login.ts';
export { type PullOptions, pullImage } from './containers/images/pull-image.ts';
export {
  type PruneOptions,
  pruneImages,
  type RemoveOptions,
  removeImage,
} from './containers/images/remove-images.ts';
export {
  type LoadOptions,
  loadImages,
  type PushOptions,
  pushImage,
  type SearchOptions,
  saveImages,
  searchImages,
} from './containers/images/transfer-images.ts';
export type { IoLimit, LimitChanges, LimitOptions } from './containers/limits/limit-options.ts';
export { type ContainerSummary, type ListOptions, listContainers } from './containers/list.ts';
export type { LogLine } from './containers/log-line.ts';
export type { LogsOptions } from './containers/logs.ts';
export type { NetworkDetails, NetworkMember } from './containers/network-details.ts';
export { inspectNetwork, listNetworks } from './containers/network-details.ts';
export { listSnapshots, type PruneSnapshotsOptions, pruneSnapshots } from './containers/snapshots/find.ts';
export { Snapshot, type SnapshotStartOptions } from './containers/snapshots/snapshot.ts';
export type { SnapshotMethod } from './containers/snapshots/snapshot-record.ts';
export type { SnapshotOptions } from './containers/snapshots/take-snapshot.ts';
export type { ContainerStats, StatsStreamOptions } from './containers/stats/stats.ts';
export { getTimeline, lastTimeline } from './containers/timeline/find-timeline.ts';
export type { Phase, Span, Timeline } from './containers/timeline/timeline.ts';
export type { CommandWaitOptions } from './containers/wait/command.ts';
export type { ExitOptions } from './containers/wait/exit.ts';
export type { HttpWaitOptions, HttpWaitTls } from './containers/wait/http.ts';
export type { LogMessageOptions } from './containers/wait/log-message.ts';
export {
  NotReadyError,
  type WaitOptions,
  type WaitStrategy,
  type WaitTarget,
} from './containers/wait/strategy.ts';
export { Wait } from './containers/wait/wait.ts';
export { DockerfileError } from './images/dockerfile/dockerfile-error.ts';
export type { DiskUsage } from './images/store/disk-usage.ts';
export type { Image, ImageConfig } from './images/store/image.ts';
export type { StoreProblem } from './images/store/problem.ts';
export type { TransferProgress } from './images/transfer/progress.ts';
export type { PullPolicy } from './images/transfer/provide-image.ts';
export { TransferError } from './images/transfer/transfer-error.ts';
export { listPresets, type PresetSummary } from './presets/by-name.ts';
export { getSnapshot } from './presets/get-snapshot.ts';
export { importImage } from './presets/import-image.ts';
export {
  type Boot,
  type CommonOptions,
  definePreset,
  type Preset,
  type PresetOptions,
  type PresetStart,
  type Presets,
} from './presets/preset.ts';
export type { Recipe } from './presets/recipe/recipe.ts';
export { type PruneSeedsOptions, pruneSeeds } from './presets/seed/prune-seeds.ts';
export { type SeedOptions, seeded } from './presets/seed/seeded.ts';
export { startContainer } from './presets/start-container.ts';
export { CommandError } from './runtime/launch/command-error.ts';
export { ProgramError } from './runtime/launch/program-error.ts';
export type { ByteSize } from './support/byte-size.ts';
export type { Duration } from './support/duration.ts';
export { type ErrorCode, isMayflyError, MayflyError } from './support/error.ts';
