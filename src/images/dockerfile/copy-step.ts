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

/** @throws DockerfileError `build.syntax`, `build.unsupported` */
export function resolveCopy(instruction: Instruction, scope: Scope): CopyStep {
  const { keyword, flags, args, heredocs, place } = instruction;
  const wrong = (what: string) => new DockerfileError('build.syntax', what, { place });
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
  const isSet = (name: string) => {
    const value = flag(name) ?? 'false';
    if (!['', 'true', 'false'].includes(value)) throw wrong(`--${name} is true or false, not ${value}`);
    return value !== 'false';
  };
  // How layers are shared is no matter of what they hold.
  isSet('link');
  const exclude = flags.filter(({ name }) => name === 'exclude').map(({ value }) => expandWord(value, scope));
  const [from, parents, checksum] = [flag('from'), isSet('parents'), flag('checksum')];
  if (from !== undefined && (parents || exclude.length > 0)) {
    throw new DockerfileError('build.unsupported', '--parents and --exclude are for files of the context', {
      place,
      hint: 'copy from the stage without them, or remove what is too much in a RUN there',
    });
  }
  const repository = keyword === 'ADD' ? paths.find(isRepository) : undefined;
  if (repository !== undefined) {
    throw new DockerfileError('build.unsupported', `ADD fetches no git repositories: ${repository}`, {
      place,
      hint: 'put a checkout into the context, or clone it in a RUN',
    });
  }
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum))
    throw wrong('a checksum is of the form sha256:… with 64 digits');
  if (checksum !== undefined && !paths.every((path) => /^https?:/i.test(path)))
    throw wrong('--checksum is for what is fetched');
  return {
    add: keyword === 'ADD',
    from,
    sources: paths,
    inline: heredocs.map(({ name, content, expand }) => ({
      name,
      content: expand ? expandText(content, scope) : content,
    })),
    destination,
    chown: flag('chown'),
    chmod: mode === undefined ? undefined : Number.parseInt(mode, 8),
    exclude,
    parents,
    checksum,
  };
}

/** What BuildKit takes for a git repository (util/gitutil, ParseGitRef). */
function isRepository(source: string): boolean {
  return /^(git@|git:\/\/|ssh:\/\/)/.test(source) || /^https?:\/\/[^?#]*\.git(#.*)?$/.test(source);
}
