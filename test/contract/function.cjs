/**
 * The function of the contract tests, as source in a template. Without the SDK, which the rehearsal's runtime does not have beside
 * it: what it calls, it signs itself (AWS Signature Version 4).
 *
 *   { op: 'echo', … }   answers the event, once flat and once more under Payload, as the product's functions do
 *   { op: 'bare', … }   answers the event flat alone
 *   { op: 'fail' }      throws
 *   { op: 'chain', left, parameter }   invokes itself, asynchronously, until left is 0; that one writes how many there were
 */
const { createHash, createHmac } = require('node:crypto');

const hash = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

async function call(service, path, headers, payload) {
  const region = process.env.AWS_REGION;
  const url = new URL(path, process.env.AWS_ENDPOINT_URL ?? `https://${service}.${region}.amazonaws.com`);
  const body = JSON.stringify(payload);
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  const signed = {
    host: url.host,
    'x-amz-date': stamp,
    'x-amz-security-token': process.env.AWS_SESSION_TOKEN,
    ...headers,
  };
  const names = Object.keys(signed)
    .filter((name) => signed[name] !== undefined)
    .sort();
  const list = names.join(';');
  const request = ['POST', url.pathname, '', ...names.map((name) => `${name}:${signed[name]}`), '', list, hash(body)];
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, hash(request.join('\n'))].join('\n');
  const key = scope.split('/').reduce(hmac, `AWS4${process.env.AWS_SECRET_ACCESS_KEY}`);
  const credential = `${process.env.AWS_ACCESS_KEY_ID}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${list}, Signature=${hmac(key, toSign).toString('hex')}`;
  const { host: _, ...sent } = Object.fromEntries(names.map((name) => [name, signed[name]]));
  const answer = await fetch(url, { method: 'POST', headers: { ...sent, authorization }, body });
  if (!answer.ok) throw new Error(`${service} answered ${answer.status}: ${await answer.text()}`);
}

async function chain({ left, links = 1, parameter }, { functionName }) {
  if (left > 0) {
    const path = `/2015-03-31/functions/${functionName}/invocations`;
    const next = { op: 'chain', left: left - 1, links: links + 1, parameter };
    await call('lambda', path, { 'x-amz-invocation-type': 'Event' }, next);
  } else {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.PutParameter' };
    await call('ssm', '/', headers, { Name: parameter, Value: String(links), Type: 'String' });
  }
  return {};
}

exports.handler = async (event, context) => {
  switch (event.op) {
    case 'echo':
      return { ...event, Payload: event };
    case 'bare':
      return event;
    case 'chain':
      return chain(event, context);
    default:
      throw new Error(`no such op: ${event.op}`);
  }
};
