import { expect, test } from 'vitest';
import { parseEnvironment, parseLabels } from '../../../src/cli/environment.ts';
import { parseMoment } from '../../../src/cli/moment.ts';
import { parsePublish } from '../../../src/cli/publish.ts';
import { parseTmpfs, parseVolume } from '../../../src/cli/volume.ts';

test('variables have a value, or the one that they have here', () => {
  expect(parseEnvironment(['A=1', 'B=x=y', 'C', 'D', 'E='], { C: 'own' })).toEqual({
    A: '1',
    B: 'x=y',
    C: 'own',
    E: '',
  });
  expect(() => parseEnvironment(['=x'], {})).toThrow('a variable without a name');
});

test('labels may be empty', () => {
  expect(parseLabels(['a=b', 'c'])).toEqual({ a: 'b', c: '' });
});

test('volumes are paths of the host', () => {
  expect(parseVolume('/a:/b')).toEqual({ type: 'bind', source: '/a', target: '/b', readOnly: false });
  expect(parseVolume('./a:/b:ro')).toEqual({
    type: 'bind',
    source: `${process.cwd()}/a`,
    target: '/b',
    readOnly: true,
  });
  for (const text of ['/a', '/a:/b:rx', '/a:/b:ro:z', ':/b'])
    expect(() => parseVolume(text)).toThrow('not a volume');
  expect(() => parseVolume('data:/b')).toThrow('data is not a path');
});

test('a tmpfs may have a size and a mode', () => {
  expect(parseTmpfs('/tmp')).toEqual({ type: 'tmpfs', target: '/tmp' });
  expect(parseTmpfs('/tmp:size=64m,mode=1770')).toEqual({
    type: 'tmpfs',
    target: '/tmp',
    size: '64m',
    mode: 0o1770,
  });
  expect(() => parseTmpfs('/tmp:exec=1')).toThrow('not an option of a tmpfs: exec');
});

test('a moment is a time, or so long ago', () => {
  const now = Date.parse('2026-11-24T10:00:00Z');
  expect(parseMoment('1764000000')).toEqual(new Date(1_764_000_000_000));
  expect(parseMoment('1h30m', now)).toEqual(new Date('2026-11-24T08:30:00Z'));
  expect(parseMoment('2026-11-24T10:00:00.5Z')).toEqual(new Date('2026-11-24T10:00:00.500Z'));
  expect(() => parseMoment('yesterday')).toThrow('not a moment');
});

test('ports are published on any free port, on one of choice, and on an address of choice', () => {
  expect(parsePublish('80')).toEqual({ container: 80, host: 0 });
  expect(parsePublish('8080:80/tcp')).toEqual({ container: 80, host: 8080 });
  expect(parsePublish('127.0.0.1:8080:80')).toEqual({ container: 80, host: 8080, hostIp: '127.0.0.1' });
  expect(parsePublish('127.0.0.1::80')).toEqual({ container: 80, host: 0, hostIp: '127.0.0.1' });
  expect(parsePublish('[::1]:8080:80')).toEqual({ container: 80, host: 8080, hostIp: '::1' });
  for (const text of ['', 'x', '8080:', '70000', '80-90'])
    expect(() => parsePublish(text)).toThrow('not a port');
  expect(() => parsePublish('53/udp')).toThrow('cannot publish udp');
});
