import { expect, test } from 'vitest';
import { parseDockerfile } from '../../../../src/images/dockerfile/parse.ts';

const lines = (...text: string[]) => text.join('\n');

test('instructions keep their flags, joined lines and the line on which they begin', () => {
  const text = lines(
    '# a comment',
    'from debian',
    'RUN --mount=type=cache,target=/c --network=none \\',
    '  # a comment within',
    '',
    '  echo "a  b" && \\',
    '  echo c',
    'CMD ["sleep", "1"]',
  );
  const { instructions } = parseDockerfile(text, 'my/Dockerfile');
  expect(instructions.map(({ keyword, place }) => [keyword, place.line])).toEqual([
    ['FROM', 2],
    ['RUN', 3],
    ['CMD', 8],
  ]);
  expect(instructions[1]).toMatchObject({
    flags: [
      { name: 'mount', value: 'type=cache,target=/c' },
      { name: 'network', value: 'none' },
    ],
    args: 'echo "a  b" &&   echo c',
  });
});

test('here-documents: a quoted name stops expansion, a dash takes leading tabs away, several follow each other', () => {
  const text = lines('FROM a', 'COPY <<-"ONE" <<TWO /dst/', '\tx $V', '\tONE', 'y', '', 'TWO', 'USER me');
  const [, copy, user] = parseDockerfile(text).instructions;
  expect(copy).toMatchObject({
    args: '<<-"ONE" <<TWO /dst/',
    heredocs: [
      { name: 'ONE', content: 'x $V\n', expand: false },
      { name: 'TWO', content: 'y\n\n', expand: true },
    ],
  });
  expect(user).toMatchObject({ keyword: 'USER', args: 'me', place: { line: 8 } });
});

test('the directive escape makes a backtick continue lines', () => {
  const { escape: character, instructions } = parseDockerfile(
    lines('# escape=`', 'FROM a', 'RUN a `', '  b'),
  );
  expect(character).toBe('`');
  expect(instructions[1]!.args).toBe('a   b');
});

test('line ends of another system and a byte order mark do not matter', () => {
  const { instructions } = parseDockerfile('\uFEFFFROM a\r\nRUN x \\\r\n  y\r\n');
  expect(instructions.map(({ args }) => args)).toEqual(['a', 'x   y']);
});

test.for([
  ['', 'Dockerfile holds no instruction'],
  ['# nothing but this', 'Dockerfile holds no instruction'],
  ['FROM a\nFETCH b', 'Dockerfile:2: unknown instruction FETCH\n  2 | FETCH b'],
  ['FROM', 'Dockerfile:1: FROM needs arguments'],
  ['FROM a\nRUN <<EOF\necho', 'Dockerfile:2: the here-document EOF has no end'],
])('%j is refused: %s', ([text, message]) => {
  expect(() => parseDockerfile(text!)).toThrow(message);
});
