// Breaks the template on purpose, one way at a time, and asks whether the check sees it. `npm run mutants`; some minutes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { template } from './modeler.mjs';

const field = (copy, id) => copy.properties.find(it => it.id === id);
const MUTANTS = {
  'an input renamed': it => { field(it, 'restApiTriggerPath').binding.name = 'restApiTriggerpath'; },
  'a header renamed': it => { field(it, 'onUnknown').binding.key = 'onunknown'; },
  'a wrong condition': it => { field(it, 'authentication.token').condition.equals = 'apiKey'; },
  'a condition too much': it => { field(it, 'snInstance').condition = { type: 'simple', property: 'domainKind', oneOf: ['commercial', 'government', 'domain'] }; },
  'another default': it => { field(it, 'connectionTimeoutInSeconds').value = '=30'; },
  'another job type': it => { field(it, 'jobType').value = 'servicenow-flow-starter:2'; },
  'a pattern that takes everything': it => { field(it, 'snInstance').constraints.pattern.value = '.*'; },
  'a pattern that refuses secrets': it => { field(it, 'snInstance').constraints.pattern.value = '^[a-z]+$'; },
  'a choice with another value': it => { field(it, 'authentication.type').choices.find(choice => choice.value === 'noAuth').value = 'none'; },
  'an input that a choice no longer writes': it => { it.properties.splice(it.properties.findIndex(({ id }) => id === 'snEndpointUnused'), 1); },
  'a hidden input that keeps what was typed': it => { field(it, 'passwordUnused').type = 'String'; },
  'a field that is no longer required': it => { delete field(it, 'authentication.password').constraints; }
};

const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
let survivors = 0;
for (const [name, change] of Object.entries(MUTANTS)) {
  const copy = structuredClone(template);
  change(copy);
  const file = join(folder, 'template.json');
  writeFileSync(file, JSON.stringify(copy));
  // Only what happens in the modeler: the look at the file alone does not count here.
  const { stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', 'tests/form.test.mjs'], {
    cwd: fileURLToPath(new URL('.', import.meta.url)), env: { ...process.env, TEMPLATE: file, PATIENCE: '2000' }, encoding: 'utf8'
  });
  const failed = [...stdout.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, test]) => test);
  console.log(`${failed.length > 0 ? 'seen    ' : 'SURVIVED'} ${name}: ${failed[0] ?? ''}`);
  survivors += failed.length === 0;
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = survivors ? 1 : 0;
