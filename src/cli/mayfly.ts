#!/usr/bin/env node
// A reader that has seen enough, such as head(1), is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

async function start(): Promise<void> {
  const [{ main }, { COMMANDS }] = await Promise.all([import('./main.ts'), import('./table.ts')]);
  const { stdout, stderr, env } = process;
  process.exitCode = await main(process.argv.slice(2), { commands: COMMANDS, stdout, stderr, env });
  // At once, because V8 would collect the garbage of a process that has no use for it any longer, for 3 ms. What a pipe has not taken
  // yet would be cut off: then the process ends when there is nothing left to do.
  if (stdout.writableLength === 0 && stderr.writableLength === 0) process.exit();
}

void start();
