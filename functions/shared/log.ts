/** One JSON object a line, as CloudWatch Logs Insights reads it. Never pass an event: it may hold a ResponseURL. */
export type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

export const consoleLog: Log = (message, fields = {}) => {
  process.stdout.write(`${JSON.stringify({ message, ...fields })}\n`);
};
