/** Starts PostgreSQL, asks it a question, takes it down, and says how long each part took. */
import { startContainer } from 'mayfly';
import pg from 'pg';

async function timed<T>(what: string, task: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  const result = await task();
  console.log(`${what.padEnd(34)} ${(performance.now() - begin).toFixed(0).padStart(7)} ms`);
  return result;
}

await timed('first start, makes image and data', async () => (await startContainer('postgres')).stop());
const postgres = await timed('start', () => startContainer('postgres'));
const client = new pg.Client(postgres.url);
await timed('connect', () => client.connect());
const { rows } = await timed('query', () => client.query('select version()'));
const exec = await timed('exec', () => postgres.exec(['id', '-un']));
await client.end();
await timed('stop', () => postgres.stop());
console.log(rows[0].version);
console.log(`in the container I was ${exec.stdout.trim()}`);
