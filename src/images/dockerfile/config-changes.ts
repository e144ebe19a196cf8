import { parseDuration } from '../../support/duration.ts';
import type { ImageConfig } from '../store/image.ts';
import { expandWord, type Scope, SyntaxFault } from './expand.ts';
import { type Instruction, isKeyword, type Keyword } from './parse.ts';
import { parseExecForm, parsePairs, splitWords } from './words.ts';

type Change = (
  config: ImageConfig,
  instruction: Pick<Instruction, 'args' | 'flags' | 'heredocs'>,
  scope: Scope,
) => ImageConfig;

const DEFAULT_SHELL = ['/bin/sh', '-c'];
/** A number or a range, a protocol. */
const PORT = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i;
/** What a trigger cannot be (moby builder/dockerfile/dispatchers.go, dispatchOnbuild). */
const NO_TRIGGERS: readonly string[] = ['FROM', 'ONBUILD', 'MAINTAINER'];
const NANOSECONDS = 1e6;

/** The instructions that change nothing but the image's configuration; `commit` takes them too. */
export const CONFIG_CHANGES = {
  CMD: (config, { args }) => ({ ...config, Cmd: commandOf(args, config) }),
  ENTRYPOINT: (config, { args }) => {
    const { Cmd: _, ...rest } = config;
    return { ...rest, Entrypoint: commandOf(args, config) };
  },
  ENV: (config, { args }, scope) => {
    const added = pairs(args, scope).map(([name, value]) => `${name}=${value}`);
    return { ...config, Env: added.reduce(setEnv, config.Env ?? []) };
  },
  EXPOSE: (config, { args }, scope) => {
    const ports = splitWords(args, scope.escape).flatMap((word) => portsOf(expandWord(word, scope)));
    return { ...config, ExposedPorts: { ...config.ExposedPorts, ...asSet(ports) } };
  },
  HEALTHCHECK: (config, instruction) => ({ ...config, Healthcheck: healthcheckOf(instruction) }),
  LABEL: (config, { args }, scope) => ({
    ...config,
    Labels: { ...config.Labels, ...Object.fromEntries(pairs(args, scope)) },
  }),
  ONBUILD: (config, instruction) => ({
    ...config,
    OnBuild: [...(config.OnBuild ?? []), triggerOf(instruction)],
  }),
  SHELL: (config, { args }) => {
    const shell = parseExecForm(args);
    if (shell === undefined || shell.length === 0)
      throw wrong('SHELL takes a JSON list, such as ["/bin/bash", "-c"]');
    return { ...config, Shell: shell };
  },
  STOPSIGNAL: (config, { args }, scope) => ({ ...config, StopSignal: expandWord(args, scope) }),
  USER: (config, { args }, scope) => ({ ...config, User: expandWord(args, scope) }),
  VOLUME: (config, { args }, scope) => {
    const paths =
      parseExecForm(args) ?? splitWords(args, scope.escape).map((word) => expandWord(word, scope));
    if (paths.some((path) => path === '')) throw wrong('a VOLUME has no path');
    return { ...config, Volumes: { ...config.Volumes, ...asSet(paths) } };
  },
  WORKDIR: (config, { args }, scope) => {
    const path = expandWord(args, scope);
    const base = config.WorkingDir || '/';
    const joined = path.startsWith('/') ? path : `${base}/${path}`;
    return { ...config, WorkingDir: normalise(joined) };
  },
} satisfies Partial<Record<Keyword, Change>>;

export type ConfigKeyword = keyof typeof CONFIG_CHANGES;

/**
 * A configuration after one more instruction. Docker's rule: an ENTRYPOINT puts the CMD of the image below out of force, but not
 * one that stands before it; `hasCmd` says that one does.
 */
export function changeConfig(
  config: ImageConfig,
  instruction: Instruction & { readonly keyword: ConfigKeyword },
  { scope, hasCmd }: { scope: Scope; hasCmd: boolean },
): ImageConfig {
  const changed = CONFIG_CHANGES[instruction.keyword](config, instruction, scope);
  const keeps = instruction.keyword === 'ENTRYPOINT' && hasCmd && config.Cmd !== undefined;
  return keeps ? { ...changed, Cmd: config.Cmd } : changed;
}

export function changesConfig(
  instruction: Instruction,
): instruction is Instruction & { readonly keyword: ConfigKeyword } {
  return isConfigKeyword(instruction.keyword);
}

function isConfigKeyword(keyword: string): keyword is ConfigKeyword {
  return Object.hasOwn(CONFIG_CHANGES, keyword);
}

/** Exec form as it is; shell form behind the image's shell. */
export function commandOf(args: string, config: ImageConfig): string[] {
  return parseExecForm(args) ?? (args === '' ? [] : [...(config.Shell ?? DEFAULT_SHELL), args]);
}

/** Sets a variable in the place that it has, or at the end. */
function setEnv(env: readonly string[], entry: string): string[] {
  const name = entry.slice(0, entry.indexOf('=') + 1);
  const at = env.findIndex((other) => other.startsWith(name));
  return at < 0 ? [...env, entry] : env.with(at, entry);
}

/** `NAME=value` pairs, or the old form `NAME the rest of the line`. */
function pairs(args: string, scope: Scope): [string, string][] {
  const words = parsePairs(args, scope.escape);
  if (words[0]!.value === undefined) {
    const [, name, value] = /^(\S+)\s+(.+)$/s.exec(args) ?? [];
    if (name === undefined) throw wrong(`${args} has no value`);
    return [[name, expandWord(value!, scope)]];
  }
  return words.map(({ name, value }) => {
    if (value === undefined || name === '') throw wrong(`${name} is not of the form NAME=value`);
    return [expandWord(name, scope), expandWord(value, scope)];
  });
}

function portsOf(text: string): string[] {
  const match = PORT.exec(text);
  if (match === null) throw wrong(`not a port: ${text}`);
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  if (first < 1 || last > 65535 || last < first) throw wrong(`not a port: ${text}`);
  return Array.from(
    { length: last - first + 1 },
    (_, i) => `${first + i}/${match[3]?.toLowerCase() ?? 'tcp'}`,
  );
}

/** Refused here and not when somebody builds on the image. */
function triggerOf({ args, heredocs }: Pick<Instruction, 'args' | 'heredocs'>): string {
  const keyword = /^\S+/.exec(args)![0].toUpperCase();
  if (!isKeyword(keyword)) throw wrong(`unknown instruction ${keyword}`);
  if (NO_TRIGGERS.includes(keyword)) throw wrong(`ONBUILD cannot be about ${keyword}`);
  return [args, ...heredocs.map(({ name, content }) => `${content}${name}`)].join('\n');
}

function healthcheckOf({ args, flags }: Pick<Instruction, 'args' | 'flags'>): ImageConfig['Healthcheck'] {
  const match = /^(none|cmd)\b\s*(.*)$/is.exec(args);
  if (match === null) throw wrong('HEALTHCHECK takes NONE, or CMD and a command');
  if (match[1]!.toUpperCase() === 'NONE') return { Test: ['NONE'] };
  const nanoseconds = (name: string) => {
    const value = flags.find((flag) => flag.name === name)?.value;
    return value === undefined ? undefined : parseDuration(value) * NANOSECONDS;
  };
  const exec = parseExecForm(match[2]!);
  const retries = flags.find((flag) => flag.name === 'retries')?.value;
  if (retries !== undefined && !/^\d+$/.test(retries)) throw wrong(`not a number: --retries=${retries}`);
  return {
    Test: exec === undefined ? ['CMD-SHELL', match[2]!] : ['CMD', ...exec],
    Interval: nanoseconds('interval'),
    Timeout: nanoseconds('timeout'),
    StartPeriod: nanoseconds('start-period'),
    StartInterval: nanoseconds('start-interval'),
    Retries: retries === undefined ? undefined : Number(retries),
  };
}

const asSet = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]));

function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Becomes an error with the place of the instruction, see {@link placed}. */
function wrong(what: string): SyntaxFault {
  return new SyntaxFault(what);
}
