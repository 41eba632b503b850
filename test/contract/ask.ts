/** One question of the suite: a test whose name begins with the assumption's id, and what was seen beside the yes or no. */
import { afterAll, test } from '@jest/globals';

/** For AWS's own pace, which is minutes where the rehearsal's is seconds. */
const LIMIT_MS = 20 * 60_000;

const answers: { readonly id: string; readonly question: string; readonly holds: boolean; readonly seen: string[] }[] =
  [];

/** @param note  says what was seen, for the table at the end: a figure, a code, a choice that either way would be fine */
export function ask(id: string, question: string, body: (note: (seen: string) => void) => Promise<void>): void {
  test(
    `${id}: ${question}`,
    async () => {
      const seen: string[] = [];
      try {
        await body((each) => seen.push(each));
        answers.push({ id, question, holds: true, seen });
      } catch (error) {
        answers.push({ id, question, holds: false, seen });
        throw error;
      }
    },
    LIMIT_MS,
  );
}

/** At the end of the file: a row for each question that was asked. */
export function tellAtTheEnd(): void {
  afterAll(() => {
    const rows = answers.map(({ id, question, holds, seen }) => {
      const verdict = holds ? 'holds' : 'DOES NOT HOLD';
      return `${id.padEnd(5)} ${verdict.padEnd(14)} ${question}${seen.map((each) => `\n${' '.repeat(21)}seen: ${each}`).join('')}`;
    });
    process.stdout.write(`\n${rows.join('\n')}\n\n`);
  });
}
