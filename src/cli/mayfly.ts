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
  // Not process.exit, which would cut off what a pipe has not taken yet.
  process.exitCode = await main(process.argv.slice(2), { commands: COMMANDS, stdout, stderr, env });
}

void start();
