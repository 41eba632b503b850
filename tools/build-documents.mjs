/**
 * The documents and the template, with what they carry put inside: shell and nginx's files into the Command document, the
 * documents into the template. What comes out is what ships, and what the rehearsal runs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, parseDocument, stringify } from 'yaml';

/** Systems Manager's limit for a document's content. Unit: bytes. */
const MAX_DOCUMENT_BYTES = 64 * 1024;
const END = 'PROXYFLIP_END_OF_FILE';

/** receiver.sh with a case for each file below nginx/, each in a here-document that the shell does not look into. */
export function receiverScript() {
  const files = readdirSync('nginx', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
    .map((entry) => path.relative('nginx', path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
  if (files.length === 0) throw new Error('no file below nginx/');
  const cases = files.map((file) => {
    const content = readFileSync(path.join('nginx', file), 'utf8');
    if (content.includes(END)) throw new Error(`nginx/${file} contains the end mark ${END}`);
    return `    ${file})\n      cat <<'${END}'\n${content.replace(/\n*$/, '\n')}${END}\n      ;;`;
  });
  const script = readFileSync('ssm-documents/scripts/receiver.sh', 'utf8');
  const marker = '    # @PAYLOAD@';
  if (!script.includes(marker)) throw new Error(`receiver.sh has no line "${marker}"`);
  return script.replace(marker, () => cases.join('\n'));
}

function receiverDocument() {
  const document = parse(readFileSync('ssm-documents/receiver.yml', 'utf8'));
  for (const step of document.mainSteps) {
    if (step.inputs.runCommand?.[0] === '@scripts/receiver.sh') step.inputs.runCommand = receiverScript().split('\n');
  }
  return document;
}

/**
 * The template with every AWS::Include of a file of ours resolved, as `aws cloudformation package` would by way of a bucket:
 * `Fn::Transform: {Name: AWS::Include, Parameters: {Location: ../ssm-documents/switch.yml}}`.
 */
function resolveIncludes(node, resolve) {
  if (Array.isArray(node)) return node.map((each) => resolveIncludes(each, resolve));
  if (node === null || typeof node !== 'object') return node;
  const transform = node['Fn::Transform'];
  if (transform?.Name === 'AWS::Include' && !/^s3:/.test(transform.Parameters.Location)) {
    return resolve(transform.Parameters.Location);
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolveIncludes(value, resolve)]));
}

/** CloudFormation's short forms as the long ones, so that the template is data while it is put together. */
const SHORT_FORMS = [
  'Ref',
  'Condition',
  'Sub',
  'GetAtt',
  'Join',
  'If',
  'Equals',
  'Not',
  'And',
  'Or',
  'Select',
  'Split',
  'FindInMap',
  'ImportValue',
  'Base64',
  'Cidr',
  'GetAZs',
].flatMap((name) => {
  const key = name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`;
  return [
    { tag: `!${name}`, resolve: (text) => ({ [key]: name === 'GetAtt' ? text.split('.') : text }) },
    { tag: `!${name}`, collection: 'seq', resolve: (sequence) => ({ [key]: sequence.toJSON() }) },
    { tag: `!${name}`, collection: 'map', resolve: (map) => ({ [key]: map.toJSON() }) },
  ];
});

export async function buildDocuments() {
  await mkdir('dist/ssm-documents', { recursive: true });
  await mkdir('dist/cloudformation', { recursive: true });
  const documents = {
    'receiver.yml': receiverDocument(),
    'switch.yml': parse(readFileSync('ssm-documents/switch.yml', 'utf8')),
    'state.yml': parse(readFileSync('ssm-documents/state.yml', 'utf8')),
  };
  for (const [name, document] of Object.entries(documents)) {
    const content = JSON.stringify(document);
    const bytes = Buffer.byteLength(content);
    if (bytes > MAX_DOCUMENT_BYTES)
      throw new Error(`${name} has ${bytes} bytes; Systems Manager takes ${MAX_DOCUMENT_BYTES}`);
    await writeFile(`dist/ssm-documents/${name.replace('.yml', '.json')}`, content);
  }
  const source = parseDocument(readFileSync('cloudformation/proxy-protocol.yaml', 'utf8'), { customTags: SHORT_FORMS });
  if (source.errors.length > 0) throw source.errors[0];
  const template = resolveIncludes(source.toJSON(), (location) => {
    const document = documents[path.basename(location)];
    if (document === undefined)
      throw new Error(`cloudformation/proxy-protocol.yaml includes ${location}, which is not built`);
    return document;
  });
  // CloudFormation reads YAML 1.1, where a bare On, Off, Yes or No is a boolean: written by its rules they are quoted.
  const text = stringify(template, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
  await writeFile('dist/cloudformation/proxy-protocol.yaml', text);
}
