// The example processes: opened, checked by Camunda's linters, compared with the template, and looked at.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { examples, start, template } from '../modeler.mjs';
import { draw, overlaps } from '../pictures.mjs';

const here = file => fileURLToPath(new URL(file, import.meta.url));

let browser;
before(async () => { browser = await start(); });
after(async () => { await browser?.close(); });

test('there are three of them', () => assert.equal(examples.length, 3));

describe('each example', () => {
  for (const { name, xml } of examples) {
    test(`${name} opens without a warning, and the template is recognised`, async () => {
      const modeler = await browser.open(xml);
      assert.deepEqual(modeler.warnings, []);
      const tasks = await modeler.tasks();
      assert.ok(tasks.length > 0);
      for (const id of tasks) {
        assert.equal((await modeler.task(id)).template, template.id);
        await modeler.select(id);
        assert.match(await modeler.badge(), /Applied/);
        for (const label of await modeler.labels()) assert.equal(await modeler.error(label).count(), 0, `${id}: ${label}`);
      }
      assert.deepEqual(modeler.page.problems, []);
      await modeler.close();
    });

    test(`${name} is what the template of today makes`, async () => {
      const modeler = await browser.open(xml);
      const as = await modeler.xml();
      assert.equal(as.trim(), xml.trim(), 'the file is as the modeler writes it');
      for (const id of await modeler.tasks()) {
        const before = await modeler.task(id);
        await modeler.apply(id, template.id);
        const again = await modeler.task(id);
        // The examples take the result expression alone, so an applied template puts this default back.
        assert.deepEqual({ ...again, headers: { ...again.headers, resultVariable: undefined } }, { ...before, headers: { ...before.headers, resultVariable: undefined } });
      }
      await modeler.close();
    });

    test(`${name}: in its picture nothing lies on anything else`, async () => {
      const { page, ...drawing } = await draw(browser, xml);
      assert.deepEqual([...drawing.warnings, ...overlaps(drawing)], []);
      await page.close();
    });

    test(`${name} is for an engine that the linters know`, () => {
      // Without these two the modeler's linter says nothing at all.
      assert.match(xml, /modeler:executionPlatform="Camunda Cloud"/);
      assert.match(xml, /modeler:executionPlatformVersion="8\.8\.0"/);
    });
  }
});

test('every form of a user task is beside the examples, and deployed with them', () => {
  for (const { name, xml } of examples) {
    assert.doesNotMatch(xml, /externalReference/, name);
    for (const [, id] of xml.matchAll(/<zeebe:formDefinition formId="([^"]+)"/g)) {
      const form = JSON.parse(readFileSync(here(`../../examples/${id}.form`), 'utf8'));
      assert.deepEqual([form.id, form.type, form.executionPlatform], [id, 'default', 'Camunda Cloud'], name);
    }
  }
});

test('bpmnlint with Camunda\'s rules finds nothing', () => {
  const files = examples.map(({ file }) => here(`../../examples/${file}`));
  execFileSync(process.execPath, [here('../node_modules/bpmnlint/bin/bpmnlint.js'), '--max-warnings=0', ...files], { cwd: here('..'), stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
});

test('the linter of Camunda\'s desktop modeler finds nothing in the examples, and what is wrong in a task', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'linter-'));
  try {
    // Its libraries are written for a browser.
    writeFileSync(join(folder, 'browser.js'), `import { parseHTML } from 'linkedom'; const { window } = parseHTML('<html><body></body></html>'); Object.assign(globalThis, { window, document: window.document });`);
    writeFileSync(join(folder, 'linter.js'), `import './browser.js';
      import { Linter } from '@camunda/linting';
      import { CloudElementTemplatesLinterPlugin } from 'bpmn-js-element-templates';
      export const lint = (xml, templates) => new Linter({ modeler: 'desktop', type: 'cloud', plugins: [CloudElementTemplatesLinterPlugin(templates)] }).lint(xml);`);
    await build({
      entryPoints: [join(folder, 'linter.js')], outfile: join(folder, 'linter.mjs'), bundle: true, platform: 'node', format: 'esm', logLevel: 'error',
      nodePaths: [here('../node_modules')], mainFields: ['module', 'main'],
      banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(here('../package.json'))});` },
      loader: { '.css': 'empty' }
    });
    const { lint } = await import(join(folder, 'linter.mjs'));
    const told = async xml => (await lint(xml, [template])).map(it => `${it.id}: ${it.message}`);
    for (const { name, xml } of examples) assert.deepEqual(await told(xml), [], name);
    const [{ xml }] = examples;
    const broken = await told(xml.replace('source="your-instance-name"', 'source="https://acme.service-now.com"'));
    assert.ok(broken.some(it => it.includes('must be the name alone')), broken.join('\n'));

    // What docs/process-developers.md says of the spellings of a secret in a diagram for 8.10.
    const newer = xml.replace('executionPlatformVersion="8.8.0"', 'executionPlatformVersion="8.10.0"');
    const about = async password => told(newer.replace('{{secrets.snUser}}', 'camunda').replace('{{secrets.snPwd}}', password));
    assert.match((await about('{{secrets.snPwd}}')).join(), /uses legacy secret expression format/);
    assert.match((await about('secrets.snPwd')).join(), /uses deprecated secret expression format/);
    assert.deepEqual(await about('=camunda.secrets.snPwd'), []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the overlap check sees what it is for', async () => {
  const [{ xml }] = examples;
  const moved = [
    [/(bpmnElement="StartFlow">\s*<dc:Bounds x=")\d+"/, '$1300"', /overlap/],
    [/(bpmnElement="Answer">\s*<dc:Bounds[^>]*>\s*<bpmndi:BPMNLabel>\s*<dc:Bounds x="\d+" y=")\d+"/, '$1172"', /label "ServiceNow's answer"/],
    [/(bpmnElement="Flow_made">\s*<di:waypoint x="\d+" y=")\d+"/, '$1170"', /right angles/]
  ];
  for (const [what, by, fault] of moved) {
    const changed = xml.replace(what, by);
    assert.notEqual(changed, xml);
    const { page, ...drawing } = await draw(browser, changed);
    assert.match(overlaps(drawing).join('\n'), fault);
    await page.close();
  }
});

test('the pictures in the docs are there', () => {
  for (const { name } of examples) assert.ok(readFileSync(here(`../../../docs/pictures/${name}.png`)).length > 5000);
});
