import { expandWord, type Scope } from '../images/dockerfile/expand.ts';
import type { Instruction } from '../images/dockerfile/parse.ts';
import { placed } from '../images/dockerfile/placed.ts';
import { parsePairs } from '../images/dockerfile/words.ts';
import { formatPlatform, type Platform } from '../images/manifest/platform.ts';

/** ARGs that every stage has without declaring them, and that are no part of what a step is remembered by. */
const PREDEFINED = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** Build arguments as a build was given them. */
export interface GivenArguments {
  readonly args: Readonly<Record<string, string>>;
  readonly platform: Platform;
  /** Of the Dockerfile. */
  readonly escape: string;
}

/** The arguments that are declared so far, in the head of the Dockerfile or in one stage. */
export class BuildScope {
  readonly #given: GivenArguments;
  readonly #declared = new Map<string, string | undefined>();
  readonly #outer: BuildScope | undefined;

  constructor(given: GivenArguments, outer?: BuildScope) {
    this.#given = given;
    this.#outer = outer;
    if (outer === undefined)
      for (const [name, value] of platformArguments(given.platform)) this.#declared.set(name, value);
  }

  /** ARG: what the build was given counts, then the default here, then what the head of the Dockerfile says. */
  declare({ args, place }: Instruction, env: readonly string[] = []): void {
    placed(place, () => {
      const scope = this.scope(env);
      for (const { name, value } of parsePairs(args, this.#given.escape)) {
        const before = (this.#outer ?? this).value(name);
        const byDefault = value === undefined ? before : expandWord(value, scope);
        this.#declared.set(name, this.#given.args[name] ?? byDefault);
      }
    });
  }

  value(name: string): string | undefined {
    return this.#declared.get(name);
  }

  /** For expansion: the image's environment counts more than an ARG of the same name. */
  scope(env: readonly string[]): Scope {
    const variables = new Map(env.map(splitEntry));
    return {
      escape: this.#given.escape,
      lookup: (name) => variables.get(name) ?? this.#declared.get(name),
    };
  }

  /** What a RUN has in its environment beside the image's. */
  environment(env: readonly string[]): Record<string, string> {
    const own = new Set(env.map((entry) => splitEntry(entry)[0]));
    return Object.fromEntries(
      [...this.#declared].filter(
        (entry): entry is [string, string] => entry[1] !== undefined && !own.has(entry[0]),
      ),
    );
  }

  /** Proxies and the like, which every RUN has although nothing declares them. */
  undeclared(): Record<string, string> {
    return Object.fromEntries(
      PREDEFINED.flatMap((name) =>
        this.#given.args[name] === undefined ? [] : [[name, this.#given.args[name]]],
      ),
    );
  }
}

function platformArguments(platform: Platform): [string, string][] {
  return ['TARGET', 'BUILD'].flatMap((side): [string, string][] => [
    [`${side}PLATFORM`, formatPlatform(platform)],
    [`${side}OS`, platform.os],
    [`${side}ARCH`, platform.architecture],
    [`${side}VARIANT`, platform.variant ?? ''],
  ]);
}

function splitEntry(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return [entry.slice(0, at), entry.slice(at + 1)];
}
