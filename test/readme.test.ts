import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test.each(['test-fixture', 'reconnect'])('the example %s of the README is the one that CI runs', (name) => {
  const [, ...example] = readFileSync(join(root, `examples/${name}.ts`), 'utf8').split('\n');
  expect(readme).toContain(`\`\`\`ts\n${example.join('\n')}\`\`\``);
});

test('every dependency has its reason in the README, and none has one that is not there', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: object;
  };
  const table = readme.slice(readme.indexOf('## Dependencies'));
  const named = [...table.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  expect(named.sort()).toEqual(Object.keys(dependencies).sort());
});

test('every script that the README names exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [, name] of readme.matchAll(/npm run ([a-z]+)/g)) expect(scripts).toHaveProperty(name!);
});
