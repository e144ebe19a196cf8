import { describe, expect, test } from 'vitest';
import { compileTemplate } from '../../../../src/cli/template/render.ts';
import { UsageError } from '../../../../src/cli/usage-error.ts';

const value = {
  ID: '0123456789abcdef',
  Names: 'db',
  State: { Running: true, Pid: 7, Error: '' },
  Networks: { default: { IPAddress: '10.0.0.2' }, other: { IPAddress: '10.1.0.2' } },
  Cmd: ['sleep', 'infinity'],
  Empty: [],
  Labels: { 'com.example.a': 'x' },
  Label: (name: string) => `label ${name}`,
};
const render = (template: string) => compileTemplate(template)(value);

// Each result is what `docker inspect --format` (Go's text/template) prints for such a value.
test.each([
  ['{{.ID}}', '0123456789abcdef'],
  ['{{ .Names }} {{.State.Pid}}', 'db 7'],
  ['{{.ID}}\\t{{.Names}}', '0123456789abcdef\tdb'],
  ['{{json .State}}', '{"Running":true,"Pid":7,"Error":""}'],
  ['{{.Cmd | json}}', '["sleep","infinity"]'],
  ['{{.Cmd}} {{.Labels}}', '[sleep infinity] map[com.example.a:x]'],
  ['{{join .Cmd ", "}}', 'sleep, infinity'],
  ['{{range .Networks}}{{.IPAddress}} {{end}}', '10.0.0.2 10.1.0.2 '],
  ['{{range .Empty}}x{{else}}none{{end}}', 'none'],
  ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
  ['{{if .State.Error}}a{{else if .State.Running}}b{{else}}c{{end}}', 'b'],
  ['{{with .State}}{{.Pid}}{{end}}', '7'],
  ['{{index .Labels "com.example.a"}}', 'x'],
  ['{{(index .Networks "other").IPAddress}}', '10.1.0.2'],
  ['{{with index .Networks "other"}}{{.IPAddress}}{{end}}', '10.1.0.2'],
  ['{{upper .Names}} {{lower "ABC"}} {{title "abc"}}', 'DB abc Abc'],
  ['{{truncate .ID 4}} {{len .Cmd}}', '0123 2'],
  ['{{println .Names}}', 'db\n'],
  ['{{printf "%-5s|%q" .Names .Names}}', 'db   |"db"'],
  ['{{eq .Names "db"}} {{not (eq .Names "db")}}', 'true false'],
  ['{{if and .State.Running (gt .State.Pid 5)}}yes{{end}}', 'yes'],
  ['a  {{- .Names -}}  b', 'adbb'],
  ['{{/* nothing */}}x', 'x'],
  ['{{.Missing}}', '<no value>'],
  ['{{.constructor}}', '<no value>'],
  ['no action', 'no action'],
  ['{{split "a\\tb" "\\t"}}', '[a b]'],
  [
    '{{range $name, $net := .Networks}}{{$name}}={{$net.IPAddress}} {{end}}',
    'default=10.0.0.2 other=10.1.0.2 ',
  ],
  ['{{range $i, $word := .Cmd}}{{$i}}:{{$word}} {{end}}', '0:sleep 1:infinity '],
  ['{{range $word := .Cmd}}{{$word}}{{$.Names}} {{end}}', 'sleepdb infinitydb '],
  ['{{$n := .Names}}{{with .State}}{{$n}} {{.Pid}}{{end}}', 'db 7'],
  ['{{with $state := .State}}{{$state.Pid}}{{end}} {{if $id := .ID}}{{slice $id 0 4}}{{end}}', '7 0123'],
  ['{{printf "%.4s" .ID}} {{printf "%6.2s|" .ID}} {{le 1 1}} {{ge 1 2}}', '0123     01| true false'],
  ['{{.Label "a"}} {{upper (.Label "b")}}', 'label a LABEL B'],
])('%s', (template, text) => {
  expect(render(template)).toBe(text);
});

describe('refused:', () => {
  test.each([
    ['{{.ID', /an action that does not end/],
    ['{{range .Cmd}}x', /a range without its end/],
    ['{{end}}', /an end too many/],
    ['{{else}}', /an else too many/],
    ['{{}}', /an empty action/],
    ['{{.ID | }}', /an empty action/],
    ['{{(.ID}}', /a parenthesis that does not end/],
    ['{{.ID)}}', /not understood/],
    ['{{!}}', /not understood/],
    ['{{"a}}', /not|does not end/],
    ['{{shout .ID}}', /function "shout" not defined/],
    ['{{$nobody}}', /undefined variable "\$nobody"/],
    ['{{range $a := .Cmd}}{{end}}{{$a}}', /undefined variable "\$a"/],
    ['{{constructor .ID}}', /function "constructor" not defined/],
  ])('%s', (template, message) => {
    expect(() => render(template)).toThrow(message);
    expect(() => render(template)).toThrow(UsageError);
  });
});
