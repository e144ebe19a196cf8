import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Engine } from '../../containers/engine.ts';
import { cachedLayer } from '../../images/layers/cached-layer.ts';
import type { Layer } from '../../images/layers/layer.ts';
import { MayflyError } from '../../support/error.ts';
import type { Progress } from '../../support/progress.ts';

/** Goes up when the arguments below would make something else. */
const VERSION = 1;
/** Manuals and the like are a third of a small system, and no test reads them. */
const LEFT_OUT = ['/usr/share/man/*', '/usr/share/doc/*', '/usr/share/info/*', '/usr/share/locale/*'];

interface Bootstrap {
  readonly suite: string;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/**
 * A small Debian as a layer, made by mmdebstrap or debootstrap from the mirror that the tool itself chooses. Made once.
 *
 * @throws MayflyError `recipe.tool-missing`, `recipe.bootstrap-failed`, `layer.*`
 */
export async function debianBase(engine: Engine, bootstrap: Bootstrap): Promise<Layer> {
  const directory = join(engine.home.cache, 'bases');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `debian-${bootstrap.suite}-${process.arch}-${VERSION}.json`);
  const build = async () => bootstrapWith(await findTool(), { engine, ...bootstrap });
  return cachedLayer(engine.images.layers, { path, build, signal: bootstrap.signal });
}

type Tool = 'mmdebstrap' | 'debootstrap';

async function findTool(): Promise<Tool> {
  const { execa } = await import('execa');
  for (const tool of ['mmdebstrap', 'debootstrap'] as const) {
    const { failed } = await execa(tool, ['--version'], { reject: false });
    if (!failed) return tool;
  }
  throw new MayflyError('recipe.tool-missing', 'neither mmdebstrap nor debootstrap is installed', {
    hint: 'apt-get install mmdebstrap',
  });
}

async function bootstrapWith(
  tool: Tool,
  { engine, suite, progress, signal }: Bootstrap & { engine: Engine },
): Promise<Layer> {
  // Its only export, where it is packed: a CommonJS module's names are found by Node alone.
  const { default: temporary } = await import('tmp-promise');
  const step = progress.step(`${tool} ${suite}`);
  try {
    // Its work is large, so it is done where the layers are, not in /tmp.
    const layer = await temporary.withDir(
      ({ path }) =>
        (tool === 'mmdebstrap' ? viaTar : viaDirectory)({
          engine,
          suite,
          signal,
          scratch: path,
          onProgress: (bytes) => step.update({ bytes }),
          onNote: (note) => step.update({ note }),
        }),
      {
        tmpdir: engine.home.cache,
        unsafeCleanup: true,
      },
    );
    step.done();
    return layer;
  } catch (error) {
    step.failed();
    throw error;
  }
}

interface Work {
  readonly engine: Engine;
  readonly suite: string;
  readonly scratch: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (bytes: number) => void;
  /** Called with what the tool says. */
  readonly onNote: (note: string) => void;
}

/** mmdebstrap writes a tar to its stdout, which is unpacked as it comes. */
async function viaTar({ engine, suite, scratch, signal, onProgress, onNote }: Work): Promise<Layer> {
  const { execa } = await import('execa');
  const excludes = LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`);
  const tool = execa('mmdebstrap', ['--variant=minbase', '--format=tar', ...excludes, suite, '-'], {
    env: { TMPDIR: scratch },
    stdout: 'pipe',
    buffer: { stdout: false },
    ...(signal ? { cancelSignal: signal } : {}),
  });
  hearNotes(tool.stderr, onNote);
  const layer = engine.images.layers.importTar(tool.stdout, { signal, onProgress });
  // Whichever fails first, the tool's own words explain it best.
  layer.catch(() => {});
  await tool.catch((error: unknown) => Promise.reject(bootstrapFailed('mmdebstrap', error)));
  return layer;
}

async function viaDirectory({ engine, suite, scratch, signal, onProgress, onNote }: Work): Promise<Layer> {
  const { execa } = await import('execa');
  const root = join(scratch, 'root');
  const options = signal ? { cancelSignal: signal } : {};
  const tool = execa('debootstrap', ['--variant=minbase', suite, root], options);
  hearNotes(tool.stdout, onNote);
  await tool.catch((error: unknown) => Promise.reject(bootstrapFailed('debootstrap', error)));
  return engine.images.layers.commitUpper(root, { signal, onProgress });
}

/** Both tools say what they do as `I: extracting archives...`. */
function hearNotes(output: Readable, onNote: (note: string) => void): void {
  createInterface({ input: output }).on('line', (line) => {
    const [, note] = /^I: (.+)$/.exec(line) ?? [];
    if (note !== undefined) onNote(note);
  });
}

function bootstrapFailed(tool: Tool, cause: unknown): MayflyError {
  const said = ((cause as { stderr?: string }).stderr ?? '').trim().split('\n').slice(-10).join('\n    ');
  return new MayflyError('recipe.bootstrap-failed', `${tool} failed${said && `\n    ${said}`}`, {
    cause,
    hint: 'is the Debian mirror of this host reachable?',
  });
}
