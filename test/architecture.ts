import { posix } from 'node:path';
import { readImports } from './imports.ts';

/** Source files by path from the root of the repository. */
export type SourceFiles = ReadonlyMap<string, string>;

/** Top to bottom. A layer imports only from those below it; layers that share a line never import each other. */
const LAYERS = [
  ['cli', 'integrations'],
  ['index'],
  ['presets', 'builder'],
  ['containers'],
  ['images', 'runtime', 'networks'],
  ['files'],
  ['kernel'],
  ['support'],
] as const;

/** The files that know more than one of images, runtime and networks, other than by type. */
const JOINTS = new Set([
  // Joins a rootfs, a network and a process.
  'src/containers/start.ts',
  // Opens the stores that start.ts joins.
  'src/containers/engine.ts',
]);

/** The only files of src that may name the presets on top of it. */
const PRESET_REGISTRY = new Set(['src/index.ts', 'src/presets/by-name.ts']);

const KOFFI_IMPORTER = 'src/kernel/ffi/libc.ts';

/** Names that say nothing about what is inside. */
const VAGUE = new Set(['utils', 'util', 'common', 'core', 'helpers', 'helper', 'misc', 'shared', 'lib']);

const MOST_LINES = 300;
/** Tables and nothing else. */
const TABLES = ['src/kernel/syscalls/x64.ts', 'src/kernel/syscalls/arm64.ts', 'src/kernel/syscalls/ia32.ts'];

/** All offences against the table of layers and the rules on files, one line each. */
export function checkArchitecture(files: SourceFiles): string[] {
  return [...files].flatMap(([path, text]) => [
    ...checkFile(path, text),
    ...(path.endsWith('.ts') ? checkImports(path, text) : []),
  ]);
}

function checkFile(path: string, text: string): string[] {
  const offences = path
    .split(/[/.]/)
    .filter((word) => VAGUE.has(word))
    .map((word) => `${path}: the name ${word} says nothing`);
  const lines = text.split('\n').length - 1;
  if (lines > MOST_LINES && !TABLES.includes(path))
    offences.push(`${path}: ${lines} lines, at most ${MOST_LINES}`);
  return offences;
}

function checkImports(path: string, text: string): string[] {
  const offences: string[] = [];
  const joined = new Set<string>();
  for (const { specifier, typeOnly, line } of readImports(path, text)) {
    const offence = path.startsWith('src/')
      ? checkInside(path, { specifier, typeOnly })
      : checkOutside(path, specifier);
    if (offence !== undefined) offences.push(`${path}:${line} -> ${specifier}: ${offence}`);
    const layer = layerOf(posix.join(posix.dirname(path), specifier));
    if (!typeOnly && layer !== undefined && ['images', 'runtime', 'networks'].includes(layer))
      joined.add(layer);
  }
  if (layerOf(path) === 'containers' && joined.size > 1 && !JOINTS.has(path))
    offences.push(`${path}: joins ${[...joined].join(' and ')}, which only ${[...JOINTS].join(' and ')} may`);
  return offences;
}

/** What is wrong with an import in src. */
function checkInside(path: string, { specifier, typeOnly }: { specifier: string; typeOnly: boolean }) {
  if (specifier === 'koffi')
    return path === KOFFI_IMPORTER ? undefined : `only ${KOFFI_IMPORTER} imports koffi`;
  if (isOurName(specifier)) {
    if (!PRESET_REGISTRY.has(path)) return 'a source file does not import the package that it is part of';
    return path === 'src/index.ts' && !typeOnly ? 'presets are loaded when they are asked for' : undefined;
  }
  if (!specifier.startsWith('.')) return undefined;
  const from = layerOf(path);
  const to = layerOf(posix.join(posix.dirname(path), specifier));
  if (from === undefined) return 'the importing file is in no layer';
  if (to === undefined) return 'the imported file is in no layer';
  if (from === to) return undefined;
  const [fromRank, toRank] = [rankOf(from), rankOf(to)];
  if (fromRank === toRank) return `${from} and ${to} are siblings`;
  return fromRank > toRank ? `${from} lies below ${to}` : undefined;
}

/** What is wrong with an import in presets/ or examples/, which are users of the package like any other. */
function checkOutside(path: string, specifier: string): string | undefined {
  if (specifier === 'koffi') return `only ${KOFFI_IMPORTER} imports koffi`;
  if (!specifier.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(path), specifier);
  const own = path.split('/').slice(0, 2).join('/');
  return target.startsWith(`${own}/`) ? undefined : 'presets and examples import the package by its name';
}

function isOurName(specifier: string): boolean {
  return specifier === 'mayfly' || specifier.startsWith('mayfly/');
}

/** src/index.ts -> index, src/kernel/ffi/libc.ts -> kernel; undefined for what has no place in the table. */
function layerOf(path: string): string | undefined {
  const name = /^src\/(?:(index)\.ts$|([^/]+)\/)/.exec(path)?.slice(1).find(Boolean);
  return name !== undefined && rankOf(name) >= 0 ? name : undefined;
}

function rankOf(layer: string): number {
  return LAYERS.findIndex((names) => (names as readonly string[]).includes(layer));
}
