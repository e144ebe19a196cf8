// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Dockerfiles
import { expect, test } from 'vitest';
import { changeConfig, changesConfig } from '../../../../src/images/dockerfile/config-changes.ts';
import { resolveCopy } from '../../../../src/images/dockerfile/copy-step.ts';
import { parseIgnore } from '../../../../src/images/dockerfile/ignore.ts';
import { parseDockerfile } from '../../../../src/images/dockerfile/parse.ts';
import { placed } from '../../../../src/images/dockerfile/placed.ts';
import { resolveRun } from '../../../../src/images/dockerfile/run-step.ts';
import { splitStages } from '../../../../src/images/dockerfile/stages.ts';
import { isMayflyError } from '../../../../src/support/error.ts';
import { randomFrom } from '../../../fixtures/random.ts';

const CASES = 5000;
const SEED = 20_261_125;
const LINES = [
  '# escape=`',
  'ARG A=${B:-c}',
  'FROM --platform=$X a:1@sha256:00 AS b',
  'RUN --mount=type=cache,target=/c,id=x,sharing=locked,mode=0700 --network=none echo "$A" && \\',
  'RUN <<EOF cat <<-"X"\na\nEOF\n\tb\n\tX',
  'COPY --from=b --chown=1:2 --chmod=755 --exclude=**/x a [b-c]* "d e" /f/',
  'ADD --checksum=sha256:00 https://u:p@host/x.git#y /z',
  'ENV A=1 "B=2" C=\\ x D=${A%%*b} ${A//a/b}',
  'HEALTHCHECK --interval=1s --retries=3 CMD ["a", "b"]',
  'ONBUILD COPY . <<x',
  'EXPOSE 1-500/udp ${P}',
  'VOLUME ["/a", "/b"]',
  'LABEL "a b"=\'c d\' e=',
  'SHELL ["/bin/sh", "-c"]',
  'WORKDIR ../$A/..',
];
const PIECES = [
  '"',
  "'",
  '\\',
  '`',
  '$',
  '${',
  '}',
  '<<',
  '\n',
  '\t',
  '--',
  '=',
  '[',
  ']',
  '*',
  ',',
  '\0',
  '\uFEFF',
  'ü',
  '#',
  '/',
  '..',
  ' ',
];

/** Everything that only reads. */
function interpret(text: string): void {
  const scope = { lookup: (name: string) => (name.length > 1 ? undefined : 'value'), escape: '\\' };
  const parsed = parseDockerfile(text);
  for (const { steps } of splitStages(parsed).stages) {
    for (const step of steps) {
      placed(step.place, () => {
        if (step.keyword === 'RUN') resolveRun(step, { config: {}, scope, allow: [] });
        else if (step.keyword === 'COPY' || step.keyword === 'ADD')
          parseIgnore(resolveCopy(step, scope).exclude.join('\n'))('a/b');
        else if (changesConfig(step)) changeConfig({}, step, { scope, hasCmd: false });
      });
    }
  }
}

test(`${CASES} Dockerfiles that nobody wrote are read or refused`, () => {
  const random = randomFrom(SEED);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  let refused = 0;
  for (let round = 0; round < CASES; round++) {
    let text = Array.from({ length: 1 + Math.floor(random() * 6) }, () => pick(LINES)).join('\n');
    if (random() < 0.8) text = `FROM a\n${text}`;
    for (let change = Math.floor(random() * 4); change > 0; change--) {
      const at = Math.floor(random() * text.length);
      text =
        text.slice(0, at) + (random() < 0.5 ? pick(PIECES) : '') + text.slice(at + Math.floor(random() * 3));
    }
    try {
      interpret(text);
    } catch (error) {
      expect(isMayflyError(error), `round ${round}: ${JSON.stringify(text)}\n${(error as Error).stack}`).toBe(
        true,
      );
      refused += 1;
    }
  }
  // Neither all nor none.
  expect(refused).toBeGreaterThan(CASES / 10);
  expect(refused).toBeLessThan(CASES);
});
