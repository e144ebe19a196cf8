/** Goes back to a snapshot while clients are connected. */
import { startContainer } from 'mayfly';
import pg from 'pg';
import postgres from 'postgres';

await using db = await startContainer('postgres', { initSql: 'create table users (name text)' });
await using empty = await db.snapshot();

const pool = new pg.Pool({ connectionString: db.url });
// A restore ends the pool's connections, which it tells of by this event; when nobody listens, the process ends.
pool.on('error', () => {});
const sql = postgres(db.url);
await pool.query(`insert into users values ('ada')`);
await sql`insert into users values ('grace')`;

await db.restore(empty);

// Both connect again when they are next asked. A pg.Client does not: connect another one.
console.log((await pool.query('select * from users')).rows, [...(await sql`select * from users`)]);

await pool.end();
await sql.end();
