/** A private PostgreSQL with a schema, a query, a look inside, and nothing left at the end of the block. */
import { startContainer } from 'mayfly';
import pg from 'pg';

await using db = await startContainer('postgres', {
  database: 'app',
  initSql: 'create table users (id serial primary key, name text not null)',
  memory: '512m',
  cpus: 1,
  pids: 200,
});

const client = new pg.Client(db.url);
await client.connect();
await client.query('insert into users (name) values ($1)', ['ada']);
console.log((await client.query('select * from users')).rows);
await client.end();

const { stdout } = await db.exec(['psql', '-XAtc', 'select count(*) from users', 'app'], {
  user: 'postgres',
});
console.log(`psql in the container counts ${stdout.trim()}`);
