/**
 * The documents and the templates, with what they carry put inside: shell and nginx's files into the Command documents, documents and
 * parts into the templates. What comes out is what ships, and what the rehearsal runs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, parseDocument, stringify } from 'yaml';

/** Systems Manager's limit for a document's content. Unit: bytes. */
const MAX_DOCUMENT_BYTES = 64 * 1024;
const END = 'PROXYFLIP_END_OF_FILE';
/** Where a script takes in the files of nginx/. */
const MARKER = '# @PAYLOAD@';

/**
 * A shell script as it goes into a document: without its comments, since the document has a limit and its readers have the source.
 * Only whole lines, and only outside of the here-documents, whose text goes into files.
 */
function withoutComments(script) {
  let end;
  return script
    .split('\n')
    .filter((line, index) => {
      if (end !== undefined) {
        if (line.trim() === end) end = undefined;
        return true;
      }
      end = /(?<!<)<<-?\s*['"]?(\w+)['"]?/.exec(line)?.[1];
      return (index === 0 && line.startsWith('#!')) || !/^\s*#/.test(line);
    })
    .join('\n');
}

/** With a case for each file below nginx/, each in a here-document that the shell does not look into. */
function withFiles(script) {
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
  return script.replace(`    ${MARKER}`, () => cases.join('\n'));
}

/** @param name  of a file of ssm-documents/scripts; a file that says so takes in the files below nginx/ */
export function assembleScript(name) {
  const script = readFileSync(path.join('ssm-documents/scripts', name), 'utf8');
  return script.includes(MARKER) ? withFiles(script) : script;
}

/** The script as the instances run it. */
export function shippedScript(name) {
  return withoutComments(assembleScript(name));
}

/** A document with its scripts: `runCommand: ['@scripts/inspect.sh']` becomes the lines of that file. */
function document(file) {
  const content = parse(readFileSync(path.join('ssm-documents', file), 'utf8'));
  for (const step of content.mainSteps) {
    const [, name] = /^@scripts\/(.+)$/.exec(step.inputs?.runCommand?.[0]) ?? [];
    if (name !== undefined) step.inputs.runCommand = shippedScript(name).split('\n');
  }
  return content;
}

/**
 * The template with every AWS::Include of a file of ours resolved, as CloudFormation would by way of a bucket. Beside other keys, as
 * under Resources, the file's keys join them; a list takes in several files.
 */
function resolveIncludes(node, read) {
  if (Array.isArray(node)) return node.map((each) => resolveIncludes(each, read));
  if (node === null || typeof node !== 'object') return node;
  const { 'Fn::Transform': transforms = [], ...own } = node;
  const included = [transforms].flat().map(({ Name, Parameters }) => {
    if (Name !== 'AWS::Include') throw new Error(`the build knows no transform ${Name}`);
    return resolveIncludes(read(Parameters.Location), read);
  });
  const parts = [...included, mapValues(own, (value) => resolveIncludes(value, read))];
  const keys = parts.flatMap(Object.keys);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new Error(`${twice} is there twice, in a template and in a file that it includes`);
  return Object.assign({}, ...parts);
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
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
    // In a list an attribute is one text, dots and all: [Network, Outputs.SubnetIds].
    { tag: `!${name}`, resolve: (text) => ({ [key]: name === 'GetAtt' ? text.split(/\.(.*)/s, 2) : text }) },
    { tag: `!${name}`, collection: 'seq', resolve: (sequence) => ({ [key]: sequence.toJSON() }) },
    { tag: `!${name}`, collection: 'map', resolve: (map) => ({ [key]: map.toJSON() }) },
  ];
});

function readTemplate(file) {
  const source = parseDocument(readFileSync(file, 'utf8'), { customTags: SHORT_FORMS });
  if (source.errors.length > 0) throw new Error(`${file}: ${source.errors[0].message}`);
  return source.toJSON();
}

const named = (directory, pattern) => readdirSync(directory).filter((name) => pattern.test(name));

/** By file name, each with its scripts. */
function documents() {
  return Object.fromEntries(named('ssm-documents', /\.yml$/).map((file) => [file, document(file)]));
}

/** By file name, as data: each with what it includes, functions in their long forms. What ships, and what the tests read. */
export function assembledTemplates(contents = documents()) {
  return Object.fromEntries(
    named('cloudformation', /\.yaml$/).map((file) => [
      file,
      resolveIncludes(readTemplate(path.join('cloudformation', file)), (location) => {
        if (!location.startsWith('../ssm-documents/')) return readTemplate(path.join('cloudformation', location));
        const content = contents[path.basename(location)];
        if (content === undefined) throw new Error(`cloudformation/${file} includes ${location}, which is not there`);
        return content;
      }),
    ]),
  );
}

export async function buildDocuments() {
  await mkdir('dist/ssm-documents', { recursive: true });
  await mkdir('dist/cloudformation', { recursive: true });
  const contents = documents();
  for (const [name, content] of Object.entries(contents)) {
    const json = JSON.stringify(content);
    const bytes = Buffer.byteLength(json);
    if (bytes > MAX_DOCUMENT_BYTES)
      throw new Error(`${name} has ${bytes} bytes; Systems Manager takes ${MAX_DOCUMENT_BYTES}`);
    await writeFile(`dist/ssm-documents/${name.replace('.yml', '.json')}`, json);
  }
  for (const [file, template] of Object.entries(assembledTemplates(contents))) {
    // CloudFormation reads YAML 1.1, where a bare On, Off, Yes or No is a boolean: written by its rules they are quoted.
    const text = stringify(template, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
    await writeFile(path.join('dist/cloudformation', file), text);
  }
}
