/**
 * The account's documents with their versions, and Amazon's own that the rehearsal brings.
 *
 * Source: Systems Manager API reference, CreateDocument, UpdateDocument, UpdateDocumentDefaultVersion.
 */
import { createHash } from 'node:crypto';
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID } from '../world.ts';
import type { Clock } from './clock.ts';
import {
  type AutomationDocument,
  type CommandDocument,
  describeProblems,
  MAX_DOCUMENT_BYTES,
  parseContent,
  readAutomationDocument,
  readCommandDocument,
} from './document-schema/index.ts';
import { validationError } from './errors.ts';

export type DocumentType = 'Command' | 'Automation';
export type DocumentFormat = 'JSON' | 'YAML';

type ReadDocument =
  | { readonly type: 'Command'; readonly content: CommandDocument }
  | { readonly type: 'Automation'; readonly content: AutomationDocument };

export interface DocumentVersion {
  readonly name: string;
  readonly version: string;
  readonly versionName: string | undefined;
  readonly format: DocumentFormat;
  /** As it was given. */
  readonly text: string;
  readonly read: ReadDocument;
  readonly hash: string;
  readonly createdAt: Date;
}

export interface StoredDocument {
  readonly name: string;
  readonly owner: string;
  readonly type: DocumentType;
  readonly targetType: string | undefined;
  readonly displayName: string | undefined;
  readonly tags: Map<string, string>;
  readonly versions: DocumentVersion[];
  defaultVersion: string;
}

const MAX_VERSIONS = 1000;

/** "You can't use the following strings as document name prefixes": reserved by Amazon for its own. */
const RESERVED_PREFIXES = ['aws', 'amazon', 'amzn', 'AWSEC2', 'AWSConfigRemediation', 'AWSSupport'];

/** Amazon's, as far as the walk-through needs it. Written here; it takes the parameters that the real one takes. */
const AWS_RUN_SHELL_SCRIPT = {
  schemaVersion: '2.2',
  description: 'Run a shell script or specify the commands to run.',
  parameters: {
    commands: { type: 'StringList', description: 'Shell script or commands to run.', minItems: 1 },
    workingDirectory: { type: 'String', default: '', maxChars: 4096 },
    executionTimeout: {
      type: 'String',
      default: '3600',
      allowedPattern: '^([1-9][0-9]{0,4}|1[0-6][0-9]{4}|17[0-1][0-9]{3}|172[0-7][0-9]{2}|172800)$',
    },
  },
  mainSteps: [
    {
      action: 'aws:runShellScript',
      name: 'aws_runShellScript',
      inputs: {
        runCommand: '{{ commands }}',
        workingDirectory: '{{ workingDirectory }}',
        timeoutSeconds: '{{ executionTimeout }}',
      },
    },
  ],
};

export class DocumentStore {
  readonly #documents = new Map<string, StoredDocument>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#add('AWS-RunShellScript', 'Amazon', 'Command', 'JSON', JSON.stringify(AWS_RUN_SHELL_SCRIPT), {});
  }

  create(input: {
    readonly Name: string;
    readonly Content: string;
    readonly DocumentType?: string;
    readonly DocumentFormat?: string;
    readonly TargetType?: string;
    readonly VersionName?: string;
    readonly DisplayName?: string;
    readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
  }): StoredDocument {
    const { Name } = input;
    if (!/^[a-zA-Z0-9_\-.]{3,128}$/.test(Name))
      throw validationError(`Name '${Name}' must match ^[a-zA-Z0-9_\\-.]{3,128}$`);
    const reserved = RESERVED_PREFIXES.find((prefix) => Name.toLowerCase().startsWith(prefix.toLowerCase()));
    if (reserved) throw validationError(`Name '${Name}' begins with ${reserved}, which is reserved`);
    if (this.#documents.has(Name))
      throw new ServiceError('DocumentAlreadyExists', `Document with name ${Name} already exists.`);
    const type = input.DocumentType ?? 'Command';
    if (type !== 'Command' && type !== 'Automation')
      throw new ServiceError('InvalidDocumentContent', `Documents of type ${type} are not supported by the rehearsal.`);
    return this.#add(Name, ACCOUNT_ID, type, format(input.DocumentFormat), input.Content, input);
  }

  #add(
    name: string,
    owner: string,
    type: DocumentType,
    documentFormat: DocumentFormat,
    text: string,
    more: {
      TargetType?: string;
      VersionName?: string;
      DisplayName?: string;
      Tags?: readonly { Key: string; Value: string }[];
    },
  ): StoredDocument {
    const document: StoredDocument = {
      name,
      owner,
      type,
      targetType: more.TargetType,
      displayName: more.DisplayName,
      tags: new Map((more.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
      versions: [this.#version(name, '1', type, documentFormat, text, more.VersionName)],
      defaultVersion: '1',
    };
    this.#documents.set(name, document);
    return document;
  }

  update(input: {
    readonly Name: string;
    readonly Content: string;
    readonly DocumentVersion?: string;
    readonly DocumentFormat?: string;
    readonly VersionName?: string;
  }): DocumentVersion {
    const document = this.#own(input.Name);
    const latest = latestOf(document);
    // "This call can only update the latest version": what is named must be it.
    if (this.version(input.Name, input.DocumentVersion ?? '$DEFAULT') !== latest)
      throw new ServiceError(
        'InvalidDocumentVersion',
        'The document version is not the latest version of the document.',
      );
    if (document.versions.length >= MAX_VERSIONS)
      throw new ServiceError('DocumentVersionLimitExceeded', `The document has ${MAX_VERSIONS} versions.`);
    const next = this.#version(
      document.name,
      String(Number(latest.version) + 1),
      document.type,
      format(input.DocumentFormat),
      input.Content,
      input.VersionName,
    );
    if (document.versions.some(({ hash }) => hash === next.hash))
      throw new ServiceError(
        'DuplicateDocumentContent',
        'The content of the association document matches another document.',
      );
    document.versions.push(next);
    return next;
  }

  setDefaultVersion(name: string, version: string): DocumentVersion {
    const document = this.#own(name);
    const found = this.version(name, version);
    document.defaultVersion = found.version;
    return found;
  }

  delete(name: string): void {
    this.#own(name);
    this.#documents.delete(name);
  }

  get(name: string): StoredDocument {
    const document = this.#documents.get(
      name.replace(/^arn:aws:ssm:[^:]*:[^:]*:(document|automation-definition)\//, ''),
    );
    if (!document) throw new ServiceError('InvalidDocument', `Document with name ${name} does not exist.`);
    return document;
  }

  /** @param version  a number, `$DEFAULT` (also when not given) or `$LATEST` */
  version(name: string, version = '$DEFAULT'): DocumentVersion {
    const document = this.get(name);
    const wanted =
      version === '$DEFAULT' ? document.defaultVersion : version === '$LATEST' ? latestOf(document).version : version;
    const found = document.versions.find((each) => each.version === wanted);
    if (!found)
      throw new ServiceError('InvalidDocumentVersion', `Version ${version} of document ${name} does not exist.`);
    return found;
  }

  list(): StoredDocument[] {
    return [...this.#documents.values()];
  }

  #own(name: string): StoredDocument {
    const document = this.get(name);
    if (document.owner !== ACCOUNT_ID)
      throw new ServiceError('InvalidDocumentOperation', `You can't change ${name}, which ${document.owner} owns.`);
    return document;
  }

  #version(
    name: string,
    version: string,
    type: DocumentType,
    documentFormat: DocumentFormat,
    text: string,
    versionName: string | undefined,
  ): DocumentVersion {
    if (Buffer.byteLength(text) > MAX_DOCUMENT_BYTES)
      throw new ServiceError(
        'MaxDocumentSizeExceeded',
        `The document has ${Buffer.byteLength(text)} bytes; ${MAX_DOCUMENT_BYTES} are allowed.`,
      );
    return {
      name,
      version,
      versionName,
      format: documentFormat,
      text,
      read: readContent(type, documentFormat, text),
      hash: createHash('sha256').update(text).digest('hex'),
      createdAt: new Date(this.#clock.now()),
    };
  }
}

export const latestOf = (document: StoredDocument): DocumentVersion => document.versions.at(-1) as DocumentVersion;

function format(given: string | undefined): DocumentFormat {
  if (given === undefined || given === 'JSON') return 'JSON';
  if (given === 'YAML') return 'YAML';
  throw new ServiceError('InvalidDocumentContent', `DocumentFormat ${given} is not supported by the rehearsal.`);
}

function readContent(type: DocumentType, documentFormat: DocumentFormat, text: string): ReadDocument {
  const content = parseContent(text, documentFormat);
  if (content === undefined || content === null)
    throw new ServiceError('InvalidDocumentContent', `The content is not valid ${documentFormat}.`);
  const reading =
    type === 'Command'
      ? ({ type, ...readCommandDocument(content) } as const)
      : ({ type, ...readAutomationDocument(content) } as const);
  if (reading.document === undefined)
    throw new ServiceError('InvalidDocumentContent', describeProblems(reading.problems));
  return { type, content: reading.document } as ReadDocument;
}
