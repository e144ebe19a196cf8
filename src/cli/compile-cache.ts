import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** Milliseconds after which what has been kept under another key is taken for abandoned. */
const ABANDONED = 7 * 24 * 3600 * 1000;

/** What is not public, and is what every module loads with. Node 20's has not changed since Node 0.x. */
interface ModulePrototype {
  _compile(this: NodeJS.Module, source: string, filename: string): unknown;
}

/** Of Node 22.1 and later. */
const builtIn = (Module as { enableCompileCache?: (directory: string) => unknown }).enableCompileCache;

/**
 * Keeps what V8 makes of the files of `bundle` in `cache`, so that later processes need not compile them: a third of the time that a
 * short command takes. Where nothing can be read or written, nothing is kept, and nothing fails.
 *
 * `bundle`: a directory of CommonJS files. `key`: what the result depends on, their contents above all: V8 looks at a file's length alone.
 * `cache`: a directory that only we can write to; nothing is kept while it is not there. `command`: what is kept of a file is what one
 * command uses of it, so each has its own; but for the file `common`, which is loaded before it is known to be one.
 */
export function enableCompileCache({
  bundle,
  cache,
  key,
  command,
  common,
}: {
  bundle: string;
  cache: string;
  key: string;
  command: string;
  common: string;
}): void {
  const directory = join(cache, 'code', key);
  if (builtIn !== undefined) {
    if (isDirectory(cache)) builtIn(directory);
    return;
  }
  const fresh = new Map<string, Script>();
  const compile = (source: string, filename: string) => {
    const name = basename(filename);
    const path = join(name === common ? directory : `${directory}-${command}`, name);
    const cachedData = readIfThere(path);
    const script = new Script(Module.wrap(source), { filename, ...(cachedData ? { cachedData } : {}) });
    // V8 rejects what is damaged, or was made by another version of it or under other flags.
    if (cachedData === undefined || script.cachedDataRejected) fresh.set(path, script);
    return script.runInThisContext() as (...args: unknown[]) => unknown;
  };
  const fromOutside = createRequire(join(bundle, 'mayfly.js'));
  const loaded = new Map<string, { exports: unknown }>();
  // Node would look five times at each of the files before it reads it, to find out what it is.
  const requireHere = (id: string): unknown => {
    if (!id.startsWith('./')) return fromOutside(id);
    const filename = join(bundle, id);
    const known = loaded.get(id) ?? fromOutside.cache[filename];
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    loaded.set(id, module);
    const run = compile(readFileSync(filename, 'utf8'), filename);
    run.call(module.exports, module.exports, requireHere, module, filename, bundle);
    return module.exports;
  };
  const prototype = Module.prototype as unknown as ModulePrototype;
  const compileAsNode = prototype._compile;
  // The first one, which the entry loads by way of Node.
  prototype._compile = function (source, filename) {
    if (dirname(filename) !== bundle) return compileAsNode.call(this, source, filename);
    return compile(source, filename).call(this.exports, this.exports, requireHere, this, filename, bundle);
  };
  process.once('exit', (code) => {
    // Of a failure little is used, and it would be kept for those that succeed.
    if (code === 0 && fresh.size > 0 && isDirectory(cache)) keep(fresh, { root: join(cache, 'code'), key });
  });
}

/** At the end, when V8 knows which functions are used. By rename, so that nobody reads half of a file. */
function keep(fresh: ReadonlyMap<string, Script>, { root, key }: { root: string; key: string }): void {
  try {
    for (const [path, script] of fresh) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const temporary = `${path}.${process.pid}`;
      writeFileSync(temporary, script.createCachedData(), { mode: 0o600 });
      renameSync(temporary, path);
    }
    for (const name of readdirSync(root)) {
      const old = Date.now() - statSync(join(root, name)).mtimeMs > ABANDONED;
      if (old && !name.startsWith(key)) rmSync(join(root, name), { recursive: true, force: true });
    }
  } catch {
    // A full disk, or a home that is somebody else's: the next process compiles again.
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
