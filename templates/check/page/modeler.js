// The modeler as Camunda's desktop and web modelers put it together, from the same libraries.
import BpmnModeler from 'bpmn-js/lib/Modeler';
import BpmnViewer from 'bpmn-js/lib/NavigatedViewer';
import {
  BpmnPropertiesPanelModule,
  BpmnPropertiesProviderModule,
  ZeebePropertiesProviderModule,
  ZeebeTooltipProvider
} from 'bpmn-js-properties-panel';
import { CloudElementTemplatesPropertiesProviderModule } from 'bpmn-js-element-templates';
import ElementTemplateChooserModule from '@bpmn-io/element-template-chooser';
import ElementTemplateIconRenderer from '@bpmn-io/element-template-icon-renderer';
import CamundaBehaviors from 'camunda-bpmn-js-behaviors/lib/camunda-cloud';
import zeebe from 'zeebe-bpmn-moddle/resources/zeebe.json';

import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import 'bpmn-js/dist/assets/bpmn-font/css/bpmn.css';
import '@bpmn-io/properties-panel/dist/assets/properties-panel.css';
import 'bpmn-js-element-templates/dist/assets/element-templates.css';
import '@bpmn-io/element-template-chooser/dist/element-template-chooser.css';

// Opens a model; answers with every warning and complaint there is.
window.openModel = async (xml, templates) => {
  const modeler = new BpmnModeler({
    container: '#canvas',
    propertiesPanel: { parent: '#panel', tooltip: ZeebeTooltipProvider },
    additionalModules: [
      BpmnPropertiesPanelModule,
      BpmnPropertiesProviderModule,
      ZeebePropertiesProviderModule,
      CloudElementTemplatesPropertiesProviderModule,
      ElementTemplateChooserModule,
      ElementTemplateIconRenderer,
      CamundaBehaviors
    ],
    moddleExtensions: { zeebe }
  });
  window.modeler = modeler;
  const complaints = [];
  modeler.on('elementTemplates.errors', ({ errors }) => complaints.push(...errors.map(error => error.message)));
  modeler.get('elementTemplatesLoader').setTemplates(templates);
  const { warnings } = await modeler.importXML(xml);
  // What the desktop modeler does for an opened file: templates are judged by the engine the model is for.
  const definitions = modeler.getDefinitions();
  const version = definitions.get('modeler:executionPlatformVersion');
  if (version) {
    modeler.get('elementTemplates').setEngines({ camunda: version });
  }
  modeler.get('canvas').zoom('fit-viewport', 'auto');
  return [...warnings.map(warning => warning.message), ...complaints];
};

window.exportModel = async () => (await window.modeler.saveXML({ format: true })).xml;

// Each service task, as the model holds it.
window.serviceTasks = () => window.modeler.get('elementRegistry')
  .filter(element => element.type === 'bpmn:ServiceTask' && !element.labelTarget)
  .map(element => element.id);

window.readTask = id => {
  const object = window.modeler.get('elementRegistry').get(id).businessObject;
  const extension = type => (object.extensionElements?.values ?? []).find(value => value.$type === type);
  const pairs = (list, key, value) => {
    const names = (list ?? []).map(item => item[key]);
    if (new Set(names).size !== names.length) {
      throw new Error(`a name stands twice: ${names}`);
    }
    return Object.fromEntries((list ?? []).map(item => [item[key], item[value] ?? null]));
  };
  const mapping = extension('zeebe:IoMapping');
  const definition = extension('zeebe:TaskDefinition');
  return {
    element: object.$type,
    template: object.get('zeebe:modelerTemplate') ?? null,
    type: definition?.type ?? null,
    retries: definition?.retries ?? null,
    inputs: pairs(mapping?.inputParameters, 'target', 'source'),
    outputs: pairs(mapping?.outputParameters, 'target', 'source'),
    headers: pairs(extension('zeebe:TaskHeaders')?.values, 'key', 'value'),
    properties: pairs(extension('zeebe:Properties')?.properties, 'name', 'value')
  };
};

// Applies the template again, or in place of another that the modeler knows.
window.applyTemplate = (id, template) => {
  const elementTemplates = window.modeler.get('elementTemplates');
  const element = window.modeler.get('elementRegistry').get(id);
  elementTemplates.applyTemplate(element, elementTemplates.getLatest(template)[0]);
};

// Draws a model as a picture.
window.drawModel = async xml => {
  document.querySelector('#panel').remove();
  const viewer = new BpmnViewer({
    container: '#canvas',
    additionalModules: [ElementTemplateIconRenderer],
    moddleExtensions: { zeebe }
  });
  const { warnings } = await viewer.importXML(xml);
  window.modeler = viewer;
  const { svg } = await viewer.saveSVG();
  const canvas = document.querySelector('#canvas');
  const shapes = [], flows = [];
  for (const element of viewer.get('elementRegistry').getAll()) {
    const graphics = viewer.get('elementRegistry').getGraphics(element);
    const name = element.businessObject?.name || element.businessObject?.text || element.id;
    if (element.waypoints) {
      flows.push({ id: element.id, name, source: element.source.id, target: element.target.id, points: element.waypoints.map(({ x, y }) => ({ x, y })), type: element.type });
      continue;
    }
    if (element.x === undefined) continue;
    const shape = { id: element.id, name, type: element.type, label: Boolean(element.labelTarget), of: element.labelTarget?.id, host: element.host?.id, parent: element.parent?.id };
    if (shape.label) {
      // A label is as large as its text, whatever box the model gives it.
      shape.lines = [...graphics.querySelectorAll('tspan')].map(line => line.textContent.trim());
      const box = graphics.querySelector('text').getBBox();
      const matrix = graphics.getCTM();
      const inverse = graphics.ownerSVGElement.querySelector('.viewport').getCTM().inverse().multiply(matrix);
      Object.assign(shape, { x: inverse.e + box.x, y: inverse.f + box.y, width: box.width, height: box.height });
    } else {
      Object.assign(shape, { x: element.x, y: element.y, width: element.width, height: element.height });
      const text = graphics.querySelector('text');
      if (text) {
        const box = text.getBBox();
        shape.lines = [...graphics.querySelectorAll('tspan')].map(line => line.textContent.trim());
        shape.text = { x: element.x + box.x, y: element.y + box.y, width: box.width, height: box.height };
      }
    }
    shapes.push(shape);
  }
  canvas.innerHTML = `<div id="picture">${svg}</div>`;
  return { warnings: warnings.map(warning => warning.message), shapes, flows };
};
