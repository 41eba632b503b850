/** What the receiver makes of the ranges that it is told: the shipped script's own functions, in a shell, without a machine. */
import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { shippedScript } from '../../tools/build-documents.mjs';

const SCRIPT = shippedScript('receiver.sh');
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is shell
const FUNCTIONS = SCRIPT.slice(0, SCRIPT.lastIndexOf('\ncase ${1:-} in'));

function problems(trusted: string, alb: string): string {
  const { stdout, stderr } = spawnSync('bash', ['-c', `${FUNCTIONS}\nread_request\nalb_problems`], {
    encoding: 'utf8',
    env: { ...process.env, SSM_Operation: 'Status', SSM_TrustedCidrs: trusted, SSM_AlbCidrs: alb },
  });
  return `${stdout}${stderr}`.trim();
}

test.each([
  { alb: '10.0.101.0/24', trusted: '10.0.101.0/24', overlaps: true },
  { alb: '10.0.101.64/26', trusted: '10.0.101.0/24', overlaps: true },
  { alb: '10.0.96.0/20', trusted: '10.0.101.0/24', overlaps: true },
  { alb: '10.0.111.0/24 10.0.101.21/32', trusted: '10.0.102.0/24 10.0.101.0/24', overlaps: true },
  // Host bits count for nothing.
  { alb: '10.0.101.77/24', trusted: '10.0.101.128/25', overlaps: true },
  { alb: '0.0.0.0/0', trusted: '10.0.101.0/24', overlaps: true },
  { alb: '255.255.255.255/32', trusted: '255.255.255.254/31', overlaps: true },
  { alb: '10.0.111.0/24 10.0.112.0/24', trusted: '10.0.101.0/24 10.0.102.0/24', overlaps: false },
  { alb: '10.0.100.0/24 10.0.102.0/23', trusted: '10.0.101.0/24', overlaps: false },
  { alb: '10.0.101.0/25', trusted: '10.0.101.128/25', overlaps: false },
  { alb: '128.0.0.0/1', trusted: '0.0.0.0/1', overlaps: false },
  { alb: '0.0.0.0/0', trusted: '', overlaps: false },
  { alb: '', trusted: '10.0.101.0/24', overlaps: false },
])('AlbCidrs "$alb" and TrustedCidrs "$trusted" overlap: $overlaps', ({ alb, trusted, overlaps }) => {
  expect(problems(trusted, alb)).toMatch(
    overlaps ? /^ERR_ALB_CIDRS \S+ of AlbCidrs overlaps \S+ of TrustedCidrs: / : /^$/,
  );
});

test.each(['300.0.0.0/24', '10.0.0.0/33', '10.0.0/24', '010.0.0.0/24', '10.0.0.0/24 ', '10.0.0.0/24,10.0.1.0/24'])(
  '"%s" is no list of ranges',
  (value) => {
    expect(problems('', value)).toContain(`ERR_INVALID_PARAMETER: parameter AlbCidrs has the value '${value}'`);
    expect(problems(value, '')).toContain(`ERR_INVALID_PARAMETER: parameter TrustedCidrs has the value '${value}'`);
  },
);
