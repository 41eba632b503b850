import { writeFile } from 'node:fs/promises';
import { RehearsalError } from '../host/rehearsal-error.ts';
import type { ScenarioOptions } from './options.ts';

type Form = 'json' | 'html' | 'svg' | 'markdown';

/**
 * Write what was asked for by --json, --html, --svg and --markdown.
 *
 * @throws RehearsalError  a file that cannot be written, named
 */
export async function writeReports(
  asked: Pick<ScenarioOptions, Form>,
  contents: { readonly json: () => object } & { readonly [form in Exclude<Form, 'json'>]?: () => string },
): Promise<void> {
  const files: [string | undefined, (() => string) | undefined][] = [
    [asked.json, () => `${JSON.stringify(contents.json(), null, 2)}\n`],
    ...(['html', 'svg', 'markdown'] as const).map((form): [string | undefined, (() => string) | undefined] => [
      asked[form],
      contents[form],
    ]),
  ];
  for (const [file, content] of files) {
    if (file === undefined || content === undefined) continue;
    await writeFile(file, content()).catch((error: Error) => {
      throw new RehearsalError(
        'ERR_REPORT',
        `the report cannot be written to ${file}: ${error.message}`,
        'name a file that can be written',
      );
    });
  }
}
