import { DockerfileError } from './dockerfile-error.ts';
import { expandText, expandWord, type Scope } from './expand.ts';
import type { Instruction } from './parse.ts';
import { parseExecForm, splitWords } from './words.ts';

/** A COPY or an ADD, expanded. */
export interface CopyStep {
  /** True for ADD: URLs are fetched, local tar archives unpacked. */
  readonly add: boolean;
  /** A stage or an image instead of the context. */
  readonly from: string | undefined;
  /** Paths or patterns below the source, or URLs. */
  readonly sources: readonly string[];
  /** Files written in the Dockerfile itself. */
  readonly inline: readonly { readonly name: string; readonly content: string }[];
  readonly destination: string;
  /** `user[:group]`, names or numbers of the image that is being made. */
  readonly chown: string | undefined;
  /** Permission bits. */
  readonly chmod: number | undefined;
  /** Patterns of what to leave out. */
  readonly exclude: readonly string[];
  /** Keep the directories above each source. */
  readonly parents: boolean;
  /** `sha256:…` of what ADD fetches. */
  readonly checksum: string | undefined;
}

/** `link` changes how layers are shared, which is no matter of what they hold. */
const FLAGS = {
  COPY: ['from', 'chown', 'chmod', 'link', 'parents', 'exclude'],
  ADD: ['chown', 'chmod', 'link', 'checksum', 'exclude'],
};

/** @throws DockerfileError `build.syntax`, `build.unsupported` */
export function resolveCopy(instruction: Instruction, scope: Scope): CopyStep {
  const { keyword, flags, args, heredocs, place } = instruction;
  const wrong = (what: string) => new DockerfileError('build.syntax', what, { place });
  const unknown = flags.find(({ name }) => !FLAGS[keyword as keyof typeof FLAGS].includes(name));
  if (unknown !== undefined) throw wrong(`${keyword} has no flag --${unknown.name}`);
  const flag = (name: string) => {
    const value = flags.findLast((candidate) => candidate.name === name)?.value;
    return value === undefined ? undefined : expandWord(value, scope);
  };
  const words = parseExecForm(args) ?? splitWords(args, scope.escape);
  const paths = words.filter((word) => !word.startsWith('<<')).map((word) => expandWord(word, scope));
  const destination = paths.pop();
  if (destination === undefined || paths.length + heredocs.length === 0)
    throw wrong(`${keyword} needs a source and a destination`);
  if (paths.length + heredocs.length > 1 && !destination.endsWith('/') && destination !== '.')
    throw wrong(`with several sources the destination of ${keyword} has to end with a slash`);
  const mode = flag('chmod');
  if (mode !== undefined && !/^0?[0-7]{3,4}$/.test(mode)) throw wrong(`not a mode in octal: --chmod=${mode}`);
  const isSet = (name: string) => ['', 'true'].includes(flag(name) ?? 'false');
  return {
    add: keyword === 'ADD',
    from: flag('from'),
    sources: paths,
    inline: heredocs.map(({ name, content, expand }) => ({
      name,
      content: expand ? expandText(content, scope) : content,
    })),
    destination,
    chown: flag('chown'),
    chmod: mode === undefined ? undefined : Number.parseInt(mode, 8),
    exclude: flags.filter(({ name }) => name === 'exclude').map(({ value }) => expandWord(value, scope)),
    parents: isSet('parents'),
    checksum: flag('checksum'),
  };
}
