import { expect, test } from 'vitest';
import { installCommand, readDistribution } from '../../../../src/containers/doctor/distribution.ts';
import { missingNamespaceLimit } from '../../../../src/containers/doctor/namespace-limits.ts';

const packages = { debian: 'uidmap', fedora: 'shadow-utils' };

test.each([
  [
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
    'Debian GNU/Linux 12 (bookworm)',
    'apt-get install -y uidmap',
  ],
  [
    'PRETTY_NAME="Linux Mint 22"\nID=linuxmint\nID_LIKE="ubuntu debian"\n',
    'Linux Mint 22',
    'apt-get install -y uidmap',
  ],
  [
    "PRETTY_NAME='Rocky Linux 9'\nID=rocky\nID_LIKE='rhel centos fedora'\n",
    'Rocky Linux 9',
    'dnf install -y shadow-utils',
  ],
  ['ID=arch\n', 'arch', 'install uidmap (as Debian calls it) or shadow-utils (as Fedora does)'],
  ['', 'an unknown distribution', 'install uidmap (as Debian calls it) or shadow-utils (as Fedora does)'],
])('os-release %j', (text, name, command) => {
  const distribution = readDistribution(text);
  expect(distribution.name).toBe(name);
  expect(installCommand(distribution, packages)).toBe(command);
});

test('the limit that forbids namespaces is found', () => {
  expect(missingNamespaceLimit((name) => (name.includes('max_net') ? '0' : '10000'))).toBe(
    'user.max_net_namespaces',
  );
  expect(missingNamespaceLimit(() => '10000')).toBeUndefined();
  expect(missingNamespaceLimit(() => undefined)).toBeUndefined();
});
