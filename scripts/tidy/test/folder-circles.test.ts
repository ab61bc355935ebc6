import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderCircles } from '../folder-circles.js';
import { repositoryFiles } from '../repository.js';

test('no folders import each other in a circle', () => {
  assert.deepEqual(folderCircles(repositoryFiles()), []);
});

test('a circle through three folders and two packages is found, with the imports that make it', () => {
  const circles = folderCircles([
    { path: 'services/a/src/top.ts', text: "import { low } from './low/low.js';" },
    { path: 'services/a/src/low/low.ts', text: "import { x } from '@imscope/b/deep/x.js';" },
    { path: 'services/b/src/deep/x.tsx', text: "import type { T } from '../../../a/src/top.js';" },
    { path: 'services/b/src/aside.ts', text: "import { x } from './deep/x.js';" },
  ]);
  assert.equal(circles.length, 1);
  assert.match(circles[0] ?? '', /^services\/a\/src services\/a\/src\/low services\/b\/src\/deep\n/);
  assert.equal(circles[0]?.split('\n').length, 4);
  assert.doesNotMatch(circles[0] ?? '', /aside/);
});

test('imports of tests make no circle', () => {
  const circles = folderCircles([
    { path: 'services/a/src/top.ts', text: "import { low } from './low/low.js';" },
    { path: 'services/a/src/low/low.test.ts', text: "import { top } from '../top.js';" },
    { path: 'services/a/src/low/low.ts', text: '' },
  ]);
  assert.deepEqual(circles, []);
});
