/**
 * What the agent reports of a plugin's output. Sizes are characters.
 *
 * Source: amazon-ssm-agent, agent/plugins/pluginutil (MaxStdoutLength, MaxStderrLength) and agent/framework/processor
 * (MaximumPluginOutputSize); GetCommandInvocation and CommandPlugin in the API reference.
 */
export const MAX_STDOUT = 24_000;
export const MAX_STDERR = 8_000;
const MAX_PLUGIN_OUTPUT = 2_500;

const TRUNCATED = '--output truncated--';
const ERROR_TITLE = '\n----------ERROR-------\n';

/** The beginning is kept: what a script prints last is what is lost. */
export const cut = (text: string, size: number): string =>
  text.length <= size ? text : `${text.slice(0, size - TRUNCATED.length)}${TRUNCATED}`;

/** ListCommandInvocations' `Output`: both streams in one, each with half of the room when both are long. */
export function combined(stdout: string, stderr: string, size = MAX_PLUGIN_OUTPUT): string {
  if (stderr === '') return cut(stdout, size);
  const room = size - ERROR_TITLE.length;
  if (stdout.length + stderr.length <= room) return `${stdout}${ERROR_TITLE}${stderr}`;
  if (stdout.length < room / 2) return `${stdout}${ERROR_TITLE}${cut(stderr, room - stdout.length)}`;
  if (stderr.length < room / 2) return `${cut(stdout, room - stderr.length)}${ERROR_TITLE}${stderr}`;
  return `${cut(stdout, Math.floor(room / 2))}${ERROR_TITLE}${cut(stderr, Math.floor(room / 2))}`;
}
