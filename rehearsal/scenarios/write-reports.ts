import { writeFile } from 'node:fs/promises';
import { RehearsalError } from '../host/rehearsal-error.ts';
import type { ScenarioOptions } from './options.ts';

/**
 * Write what was asked for by --json, --html and --svg.
 *
 * @throws RehearsalError  a file that cannot be written, named
 */
export async function writeReports(
  { json, html, svg }: Pick<ScenarioOptions, 'json' | 'html' | 'svg'>,
  contents: { readonly json: () => object; readonly html: () => string; readonly svg: () => string },
): Promise<void> {
  const files: [string | undefined, () => string][] = [
    [json, () => `${JSON.stringify(contents.json(), null, 2)}\n`],
    [html, contents.html],
    [svg, contents.svg],
  ];
  for (const [file, content] of files) {
    if (file === undefined) continue;
    await writeFile(file, content()).catch((error: Error) => {
      throw new RehearsalError(
        'ERR_REPORT',
        `the report cannot be written to ${file}: ${error.message}`,
        'name a file that can be written',
      );
    });
  }
}
