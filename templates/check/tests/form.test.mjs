// The form in Camunda's modeler, filled in by typing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { cases, read, start, template } from '../modeler.mjs';
import { official } from '../official.mjs';

let browser;
before(async () => { browser = await start(); });
after(async () => { await browser?.close(); });

const empty = read('empty.bpmn');

async function fresh() {
  const modeler = await browser.open(empty);
  assert.deepEqual(modeler.warnings, []);
  await modeler.select('Task_1');
  await modeler.choose(template.id);
  return modeler;
}

async function done(modeler) {
  assert.deepEqual(modeler.page.problems, []);
  await modeler.close();
}

describe('an empty task, filled in by typing', () => {
  for (const { name, form, job } of cases.filled) {
    test(name, async () => {
      const modeler = await fresh();
      for (const [label, text] of form) await modeler.fill(label, text);
      const expected = {
        element: 'bpmn:ServiceTask', template: template.id, type: 'servicenow-flow-starter:1', outputs: {}, ...job
      };
      await modeler.eventually(async () => assert.deepEqual(await modeler.task('Task_1'), expected));
      for (const [label] of form) assert.equal(await modeler.error(label).count(), 0, label);

      // What is exported is what is opened again.
      const again = await browser.open(await modeler.xml());
      assert.deepEqual(again.warnings, []);
      assert.deepEqual(await again.task('Task_1'), expected);
      await again.select('Task_1');
      assert.match(await again.badge(), /Applied/);
      await done(again);
      await done(modeler);
    });
  }
});

describe('what is wrong is said beside the field', () => {
  test('a required field that was left empty, for each authentication', async () => {
    const modeler = await fresh();
    for (const [choice, labels] of Object.entries(cases.required)) {
      await modeler.fill('Type', choice);
      await modeler.eventually(async () => {
        const complaining = [];
        for (const label of await modeler.labels()) {
          if (await modeler.error(label).count() > 0) complaining.push(label);
        }
        assert.deepEqual(complaining.sort(), [...labels].sort(), choice);
      });
      for (const label of labels) assert.match(await modeler.error(label).innerText(), /must not be empty/);
    }
    await done(modeler);
  });

  test('a value that breaks its pattern', async () => {
    const modeler = await fresh();
    for (const { label, typed, says, choose } of cases.refused) {
      if (choose) await modeler.fill(...choose);
      await modeler.fill(label, typed);
      await modeler.eventually(async () => {
        const told = await modeler.error(label).innerText({ timeout: 1000 });
        assert.ok(told.includes(says), `${label} = ${typed}: ${told}`);
      });
      if (choose) await modeler.fill(choose[0], choose[0] === 'Type' ? 'Basic' : 'Commercial (service-now.com)');
    }
    await done(modeler);
  });

  test('but not a secret, an expression, or what is unusual and right', async () => {
    const modeler = await fresh();
    for (const { label, typed, choose } of cases.accepted) {
      if (choose) await modeler.fill(...choose);
      await modeler.fill(label, typed);
      await modeler.eventually(async () => {
        const held = JSON.stringify(await modeler.task('Task_1'));
        assert.ok(held.includes(JSON.stringify(typed)), `${label} does not hold ${typed}`);
        assert.equal(await modeler.error(label).count(), 0, `${label} = ${typed}`);
      });
      if (choose) await modeler.fill(choose[0], choose[0] === 'Type' ? 'Basic' : 'Commercial (service-now.com)');
    }
    await done(modeler);
  });
});

test('only the fields of a choice are in the model, whatever was chosen before', async () => {
  const modeler = await fresh();
  await modeler.fill('Username', 'ada');
  for (const { choices } of template.properties.filter(it => it.id === 'authentication.type')) {
    for (const { name, value } of choices) {
      await modeler.fill('Type', name);
      const expected = template.properties
        .filter(it => it.id.startsWith('authentication.') && (!it.condition || (it.condition.oneOf ?? [it.condition.equals]).includes(value)))
        .map(it => it.id).sort();
      await modeler.eventually(async () => {
        const { inputs } = await modeler.task('Task_1');
        assert.deepEqual(Object.keys(inputs).filter(it => it.startsWith('authentication.')).sort(), expected, name);
      });
    }
  }
  await modeler.fill('Domain', 'US government (servicenowservices.com)');
  await modeler.eventually(async () => assert.equal((await modeler.task('Task_1')).inputs.snDomain, 'servicenowservices.com'));
  await modeler.fill('Domain', 'Another domain');
  await modeler.eventually(async () => assert.equal((await modeler.task('Task_1')).inputs.snDomain, null));
  await modeler.fill('Domain', 'Own URL');
  await modeler.eventually(async () => {
    const { inputs } = await modeler.task('Task_1');
    assert.deepEqual([inputs.snDomain, inputs.snEndpoint], [undefined, null]);
  });
  await done(modeler);
});

test('for an older engine the panel says that the template does not fit', async () => {
  const modeler = await browser.open(empty.replace('executionPlatformVersion="8.8.0"', 'executionPlatformVersion="8.7.0"'));
  await modeler.select('Task_1');
  await modeler.page.click('.bio-properties-panel-select-template-button');
  await modeler.page.waitForSelector('.djs-popup');
  assert.equal(await modeler.page.locator(`.djs-popup [data-id="apply-template-${template.id}"]`).count(), 0);
  await done(modeler);
});

describe('a task with the official template', () => {
  const { inputs, dropped, headers, retries } = cases.official;
  const xml = read('official.bpmn');

  async function nothingIsLost(modeler) {
    await modeler.eventually(async () => {
      const task = await modeler.task('Task_1');
      assert.equal(task.template, template.id);
      assert.equal(task.type, 'servicenow-flow-starter:1');
      assert.equal(task.retries, retries);
      const kept = Object.fromEntries(Object.entries(inputs).filter(([name]) => !dropped.includes(name)));
      assert.deepEqual(task.inputs, { ...kept, maxResponseBytes: '=1048576' });
      assert.deepEqual(task.headers, { ...headers, onUnknown: 'incident' });
    });
    assert.match(await modeler.badge(), /Applied/);
    for (const label of await modeler.labels()) assert.equal(await modeler.error(label).count(), 0, label);
    await done(modeler);
  }

  test('is in the model that this check opens, as the table of cases says', async () => {
    const modeler = await browser.open(xml, [template, official]);
    assert.deepEqual(modeler.warnings, []);
    const task = await modeler.task('Task_1');
    assert.deepEqual([task.inputs, task.headers, task.retries, task.type, task.template],
      [inputs, headers, retries, 'io.camunda:http-json:1', official.id]);
    await done(modeler);
  });

  test('loses no value where a person unlinks the old template and selects this one', async () => {
    const modeler = await browser.open(xml, [template, official]);
    await modeler.select('Task_1');
    await modeler.unlink();
    await modeler.choose(template.id);
    await nothingIsLost(modeler);
  });

  test('loses no value where the modeler does not have the old template at all', async () => {
    const modeler = await browser.open(xml, [template]);
    await modeler.select('Task_1');
    assert.match(await modeler.badge(), /Not found/i);
    await modeler.unlink();
    await modeler.choose(template.id);
    await nothingIsLost(modeler);
  });

  test('loses no value where a program replaces the one by the other', async () => {
    const modeler = await browser.open(xml, [template, official]);
    await modeler.apply('Task_1', template.id);
    await modeler.select('Task_1');
    await nothingIsLost(modeler);
  });
});
