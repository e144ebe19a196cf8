import { expect, test } from 'vitest';
import { insertAccept, removeCommented } from '../../../src/kernel/netlink/accept-rules.ts';
import { requires } from '../../requires.ts';

const NOWHERE = { table: 'mayfly-nowhere', chain: 'forward' };

requires('root')('rules in a chain that is not there', () => {
  test('cannot be put there', () => {
    expect(() => insertAccept(NOWHERE, { device: 'mf-none', comment: 'mayfly mf-none' })).toThrow(
      /accept what mf-none forwards in mayfly-nowhere\/forward.*ENOENT/,
    );
  });

  test('are removed already', () => {
    expect(() => removeCommented(NOWHERE, { comment: 'mayfly mf-none' })).not.toThrow();
  });
});
