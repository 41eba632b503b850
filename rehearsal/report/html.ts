/**
 * One page about one or several runs, to be looked at and passed on: no script, nothing loaded from anywhere.
 *
 * Several runs stand side by side on the same scales, so that what one order costs can be seen against another. Shapes are
 * SVG that stretches; every word is HTML, so that it stays readable on a phone.
 */
import type { ReceiverMode } from '../traffic/client-address.ts';
import type { SecondCounts } from '../traffic/counts.ts';
import { FAILURE_KINDS } from '../traffic/exchange.ts';
import { FIGURES } from './figures.ts';
import { STYLE } from './html-style.ts';
import { DISAGREEMENT_PHASE, type RehearsalResult } from './result.ts';
import { escapeMarkup, failureHeights, isTransition, niceCeiling, requestsIn, spans } from './series.ts';
import { clock, count, counted, FAILURE_WORDS, ORDER_WORDS, percent, seenInWords } from './words.ts';

/** A run, and what of it fell short of what was promised. */
export interface Run {
  readonly result: RehearsalResult;
  readonly shortfalls: readonly string[];
}

/** @throws RangeError  without any run */
export function renderHtml(runs: readonly Run[]): string {
  const results = runs.map(({ result }) => result);
  const [first] = results;
  if (!first) throw new RangeError('a report needs one run at least');
  const scale: Scale = {
    endMs: Math.max(...results.map(({ durationMs }) => durationMs), 1),
    perSecond: niceCeiling(Math.max(...results.flatMap(({ seconds }) => seconds.map(requestsIn)), 1)),
  };
  const title =
    results.length === 1
      ? 'PROXY protocol, switched under load'
      : 'PROXY protocol, switched under load in different orders';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header class="page">
<h1>${title}</h1>
<p>${escapeMarkup(settingsInWords(first))}</p>
${legend(results)}
</header>
<main>
<div class="runs runs-${Math.min(results.length, 3)}">
${runs.map((each) => article(each, scale)).join('\n')}
</div>
<div class="tables">
<section>
<h2>Figures</h2>
${figures(results)}
</section>
${results.map(phaseTable).join('\n')}
</div>
${results.map(examples).join('\n')}
</main>
<footer><p>Rehearsed on one machine: real nginx, real HAProxy as the load balancer's data plane, clients on addresses of their own.
nginx ${escapeMarkup(first.versions.nginx)}, HAProxy ${escapeMarkup(first.versions.haproxy)}, Node.js ${escapeMarkup(first.versions.node)}, systemd ${escapeMarkup(first.versions.systemd)}.
${escapeMarkup(first.startedAt.slice(0, 16).replace('T', ' '))} UTC.</p></footer>
</body>
</html>
`;
}

interface Scale {
  readonly endMs: number;
  readonly perSecond: number;
}

function settingsInWords({ machines, nodes, policyDelayMs: [low, high], release, image }: RehearsalResult): string {
  return `${counted(machines, 'instance')} (Debian ${release}, ${image} image) behind ${counted(nodes, 'load balancer node')}; a policy reaches each node ${low} to ${high} ms after the call.`;
}

function legend(results: readonly RehearsalResult[]): string {
  const kinds = FAILURE_KINDS.filter((kind) =>
    results.some(({ seconds }) => seconds.some(({ failures }) => failures[kind])),
  );
  const item = (className: string, words: string): string =>
    `<li><i class="${className}"></i>${escapeMarkup(words)}</li>`;
  return `<ul class="legend">
${item('requests', 'requests per second')}
${kinds.map((kind) => item(`failure ${kind}`, FAILURE_WORDS[kind])).join('')}
${results.some(hasDisagreement) ? item('disagree', DISAGREEMENT_PHASE) : ''}${item('mode plain', 'no PROXY line')}${item('mode both', 'either is taken')}${item('mode proxy', 'PROXY line sent or required')}
</ul>`;
}

function hasDisagreement({ phases }: RehearsalResult): boolean {
  return phases.some(({ name }) => name === DISAGREEMENT_PHASE);
}

function article({ result, shortfalls }: Run, scale: Scale): string {
  const { title, what } = ORDER_WORDS[result.order];
  const failed = result.newConnections.failed + result.keepAlive.failed;
  return `<article class="run">
<h2>${title}</h2>
<p class="what">${what}</p>
<p class="big ${failed > 0 ? 'bad' : 'good'}"><b>${count(failed)}</b> of ${count(result.newConnections.sent + result.keepAlive.sent)} requests failed</p>
${headNotes(result)}
<div class="chart">
${phaseRow(result, scale)}
${plotRow(result, scale)}
${nodeRows(result, scale)}
${instanceRows(result, scale)}
${axisRow(scale)}
</div>
${shortfalls.length === 0 ? '' : `<ul class="shortfalls">${shortfalls.map((text) => `<li>${escapeMarkup(text)}</li>`).join('')}</ul>`}
</article>`;
}

function headNotes(result: RehearsalResult): string {
  const { webSockets, clientAddress, phases } = result;
  const disagreeing = phases.filter((phase) => phase.name === DISAGREEMENT_PHASE);
  const sent = disagreeing.reduce((sum, phase) => sum + phase.newConnections.sent, 0);
  const failed = disagreeing.reduce((sum, phase) => sum + phase.newConnections.failed, 0);
  const notes = [
    ...(sent > 0 ? [`${percent(failed, sent)} of the new connections while the sides disagreed`] : []),
    `${count(webSockets.dropped)} of ${counted(webSockets.opened, 'WebSocket')} dropped, ${count(webSockets.messagesLost)} messages lost`,
    `${count(clientAddress.wrong)} wrong client addresses, ${count(clientAddress.unverified)} unverified`,
  ];
  return `<ul class="notes">${notes.map((note) => `<li>${escapeMarkup(note)}</li>`).join('')}</ul>`;
}

function row(label: string, track: string, className = ''): string {
  return `<div class="row ${className}"><span class="label">${escapeMarkup(label)}</span><div class="track">${track}</div></div>`;
}

interface Band {
  readonly fromMs: number;
  readonly toMs: number;
  readonly className: string;
  readonly label: string;
  /** Where the class has none. */
  readonly background?: string;
}

/** Bands are positioned by share of the track; one that is too narrow for its word hides it, and says it when pointed at. */
function bands(of: readonly Band[], { endMs }: Scale): string {
  return of
    .filter(({ fromMs, toMs }) => toMs > Math.max(0, fromMs))
    .map(({ fromMs, toMs, className, label, background }) => {
      const left = share(Math.max(0, fromMs), endMs);
      const width = share(toMs - Math.max(0, fromMs), endMs);
      const title = `${label}: ${clock(Math.max(0, fromMs))} to ${clock(toMs)}`;
      const text = `<span>${escapeMarkup(label)}</span>`;
      return `<div class="band ${className}" style="left:${left}%;width:${width}%${background ? `;background:${background}` : ''}" title="${escapeMarkup(title)}">${text}</div>`;
    })
    .join('');
}

function phaseRow({ phases }: RehearsalResult, scale: Scale): string {
  const className = ({ name, modes }: RehearsalResult['phases'][number]): string => {
    if (name === DISAGREEMENT_PHASE) return 'phase disagree';
    return modes.length === 1 ? `phase mode ${modes[0]}` : 'phase';
  };
  const all = phases.map((phase) => ({
    fromMs: phase.startMs,
    toMs: phase.endMs,
    className: className(phase),
    label: phase.name,
    ...(isTransition(phase)
      ? { background: `linear-gradient(90deg,${phase.modes.map((mode) => `var(--${mode})`).join()})` }
      : {}),
  }));
  return row('phase', bands(all, scale), 'phases');
}

function plotRow(result: RehearsalResult, scale: Scale): string {
  const seconds = result.seconds.filter(({ second }) => second * 1000 < result.durationMs);
  const width = scale.endMs / 1000;
  const high = scale.perSecond;
  // The last second is rarely a whole one: drawn as it is, it would look like a loss of traffic.
  const whole = seconds.filter(({ second }) => (second + 1) * 1000 <= result.durationMs);
  const points = whole.map((each) => `${each.second + 0.5},${high - requestsIn(each)}`);
  const area =
    points.length < 2
      ? ''
      : `<polygon class="requests" points="0.5,${high} ${points.join(' ')} ${whole.length - 0.5},${high}"/><polyline class="requests" points="${points.join(' ')}"/>`;
  const edges = result.phases
    .slice(1)
    .map(({ startMs }) => `<line class="edge" x1="${startMs / 1000}" x2="${startMs / 1000}" y1="0" y2="${high}"/>`)
    .join('');
  const grid = [0.5, 1].map(
    (part) => `<line class="grid" x1="0" x2="${width}" y1="${high * (1 - part)}" y2="${high * (1 - part)}"/>`,
  );
  const description = `Requests per second over ${clock(result.durationMs)}; ${count(result.newConnections.failed)} new connections failed`;
  const svg = `<svg viewBox="0 0 ${width} ${high}" preserveAspectRatio="none" role="img" aria-label="${escapeMarkup(description)}">
${grid.join('')}${area}${seconds.map((each) => failureBars(each, high)).join('')}${edges}</svg>`;
  const ticks = [high, high / 2].map(
    (value, index) => `<span class="tick" style="top:${index * 50}%">${count(value)}</span>`,
  );
  return row('requests per second', `${svg}${ticks.join('')}`, 'plot');
}

function failureBars({ second, failures }: SecondCounts, high: number): string {
  let bottom = high;
  return failureHeights(failures, high)
    .map(({ kind, value, height }) => {
      bottom -= height;
      const title = `<title>${clock(second * 1000)}: ${count(value)} ${FAILURE_WORDS[kind]}</title>`;
      return `<rect class="failure ${kind}" x="${second + 0.08}" width="0.84" y="${bottom}" height="${height}">${title}</rect>`;
    })
    .join('');
}

function nodeRows({ timeline, durationMs }: RehearsalResult, scale: Scale): string {
  return timeline.nodes
    .flatMap(({ address, changes }) => {
      const ports = [...new Set(changes.map(({ instancePort }) => instancePort))].sort((left, right) => left - right);
      return ports.map((port) => {
        const ofPort = changes.filter(({ instancePort }) => instancePort === port);
        const states = spans(ofPort, durationMs).map(({ change, fromMs, toMs }) => ({
          fromMs,
          toMs,
          className: change.hasPolicy ? 'mode proxy' : 'mode plain',
          label: change.hasPolicy ? 'PROXY' : 'plain',
        }));
        return row(`${address}:${port}`, bands(states, scale), 'state node');
      });
    })
    .join('\n');
}

function instanceRows({ timeline, durationMs }: RehearsalResult, scale: Scale): string {
  return timeline.instances
    .map(({ name, changes }) => {
      const states = spans(changes, durationMs).map(({ change, fromMs, toMs }) => ({
        fromMs,
        toMs,
        className: `mode ${change.mode satisfies ReceiverMode}`,
        label: change.mode,
      }));
      return row(name, bands(states, scale), 'state instance');
    })
    .join('\n');
}

function axisRow({ endMs }: Scale): string {
  const stepMs =
    [5, 10, 20, 30, 60, 120, 300, 600].map((each) => each * 1000).find((each) => endMs / each <= 4) ?? 1_200_000;
  const ticks: string[] = [];
  for (let at = 0; at <= endMs * 0.97; at += stepMs)
    ticks.push(`<span style="left:${share(at, endMs)}%">${clock(at)}</span>`);
  return row('', ticks.join(''), 'axis');
}

function figures(results: readonly RehearsalResult[]): string {
  const head = results.map(({ order }) => `<th scope="col">${ORDER_WORDS[order].title}</th>`).join('');
  const body = FIGURES.map(({ name, value, isBad }) => {
    const cells = results.map(
      (result) =>
        `<td${isBad?.(result) ? ' class="bad"' : ''}>${escapeMarkup(value(result)).replaceAll(' %', '&nbsp;%').replaceAll('_', '_<wbr>')}</td>`,
    );
    return `<tr><th scope="row">${name}</th>${cells.join('')}</tr>`;
  });
  return `<table><thead><tr><td></td>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`;
}

/** What each phase cost, and as whom the application saw a client in it: from plain to proxy the point of the switch. */
function phaseTable({ order, phases }: RehearsalResult): string {
  const rows = phases.map(({ name, startMs, endMs, newConnections, keepAlive, sample }) => {
    const failed = newConnections.failed + keepAlive.failed;
    return `<tr><th scope="row">${escapeMarkup(name)}</th><td class="when">${clock(startMs)} to ${clock(endMs)}</td><td>${count(newConnections.sent + keepAlive.sent)}</td><td${failed > 0 ? ' class="bad"' : ''}>${count(failed)}</td><td class="words">${escapeMarkup(seenInWords(sample))}</td></tr>`;
  });
  return `<section>
<h2>Phases: ${ORDER_WORDS[order].title}</h2>
<table><thead><tr><th>phase</th><th scope="col" class="when">when</th><th scope="col">requests</th><th scope="col">failed</th><th class="words">a client, as the application saw it</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>
</section>`;
}

function examples(result: RehearsalResult): string {
  if (result.examples.length === 0) return '';
  const items = result.examples.map((each) => `<li><code>${escapeMarkup(each)}</code></li>`).join('');
  return `<details><summary>${ORDER_WORDS[result.order].title}: examples of what was counted</summary><ul>${items}</ul></details>`;
}

function share(part: number, whole: number): string {
  return ((part / whole) * 100).toFixed(3);
}
