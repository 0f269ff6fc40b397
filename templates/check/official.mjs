// What a modeler knows when it has Camunda's own template loaded: the bindings, defaults and conditions of its property table.
// The words of the form are left out; nothing here reads them.
const input = (name, more = {}) => ({ id: name, type: 'String', binding: { type: 'zeebe:input', name }, ...more });
const header = (key, more = {}) => ({ id: key, type: 'String', binding: { type: 'zeebe:taskHeader', key }, ...more });
const when = (property, ...oneOf) => ({ condition: { type: 'simple', property, oneOf } });
const hidden = value => ({ type: 'Hidden', value });
const choice = (...values) => ({ type: 'Dropdown', choices: values.map(value => ({ name: value, value })) });
const optional = { optional: true };
const basic = when('authentication.type', 'basic');

export const official = {
  $schema: 'https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json',
  name: 'ServiceNow Flow Starter',
  id: 'io.camunda.connectors.ServiceNowFlow.v1',
  version: 1,
  appliesTo: ['bpmn:Task'],
  elementType: { value: 'bpmn:ServiceTask' },
  properties: [
    { ...hidden('io.camunda:http-json:1'), binding: { type: 'zeebe:taskDefinition', property: 'type' } },
    input('snInstance', { feel: 'optional' }),
    input('restApiTriggerPath', { feel: 'optional' }),
    input('authentication.type', hidden('basic')),
    input('authentication.username', { feel: 'optional', ...basic }),
    input('authentication.password', { feel: 'optional', ...basic }),
    input('method', { value: 'GET', ...choice('POST', 'GET', 'DELETE', 'PATCH', 'PUT') }),
    input('url', hidden('="https://" + snInstance + ".service-now.com" + restApiTriggerPath')),
    input('headers', { feel: 'required', ...optional }),
    input('queryParameters', { feel: 'required', ...optional }),
    input('storeResponse', hidden('=false')),
    input('skipEncoding', { type: 'Hidden', value: false, ...optional }),
    input('connectionTimeoutInSeconds', { type: 'Number', feel: 'static', value: '=20' }),
    input('readTimeoutInSeconds', { type: 'Number', feel: 'static', value: '=20' }),
    input('body', { type: 'Text', feel: 'optional', ...optional, ...when('method', 'POST', 'PUT', 'PATCH') }),
    input('ignoreNullValues', hidden('=false')),
    header('resultVariable', { value: 'snQueryResult' }),
    header('resultExpression', { type: 'Text', feel: 'required' }),
    header('errorExpression', { type: 'Text', feel: 'required' }),
    { id: 'retryCount', type: 'String', feel: 'optional', value: '3', binding: { type: 'zeebe:taskDefinition', property: 'retries' } },
    header('retryBackoff', { value: 'PT30S' }),
    header('jobTimeout', optional)
  ]
};
