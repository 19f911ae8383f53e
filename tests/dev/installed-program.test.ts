// A component that is not installed is named, with its package.
import { expect, test } from '@jest/globals';
import { installedProgram } from '../../dev/installed-program.ts';

test('a program that is there is found by its full path', () => {
  expect(installedProgram('sh', 'dash')).toMatch(/^\/.*\/sh$/);
});

test('a program that is not there is an error that names the Debian package', () => {
  expect(() => installedProgram('no-such-program', 'no-such-package')).toThrow(
    expect.objectContaining({
      code: 'PackageMissing',
      message: expect.stringContaining('apt-get install no-such-package'),
    }),
  );
});
