/**
 * Runs as one SVG picture, for a page that has words of its own: phases, requests and failures, nodes and instances over time.
 *
 * It has its own ground and both palettes, since a page shows it as an image: whatever is around it, its words can be read.
 */
import { FAILURE_KINDS } from '../traffic/exchange.ts';
import { COLOURS } from './html-style.ts';
import { DISAGREEMENT_PHASE, type PhaseResult, type RehearsalResult } from './result.ts';
import { escapeMarkup, failureHeights, isTransition, niceCeiling, requestsIn, spans } from './series.ts';
import { clock, count, FAILURE_WORDS, ORDER_WORDS } from './words.ts';

const WIDTH = 960;
const EDGE = 20;
/** Before a panel, for the names of its rows. */
const NAMES = 112;
const HEAD = 50;
const PHASE = 24;
const PLOT = 92;
const ROW = 18;
const AXIS = 22;
const GAP = 30;
const NOTE = 34;
/** A word of 12 pixels is about so wide for each letter; one that does not fit its band is left out. */
const LETTER = 7;

interface Scale {
  readonly pixelsPerMs: number;
  readonly perSecond: number;
}

/** @throws RangeError  without any result */
export function renderPicture(results: readonly RehearsalResult[]): string {
  const [first] = results;
  if (!first) throw new RangeError('a picture needs one result at least');
  const longest = Math.max(...results.map(({ durationMs }) => durationMs), 1);
  const scale: Scale = {
    pixelsPerMs: (WIDTH - 2 * EDGE - NAMES) / longest,
    perSecond: niceCeiling(Math.max(...results.flatMap(({ seconds }) => seconds.map(requestsIn)), 1)),
  };
  const placed = place(results, scale);
  const bottom = Math.max(...placed.map(({ y, result }) => y + heightOf(result)));
  const height = bottom + NOTE;
  const title = `PROXY protocol switched under load: ${results.map(inOneSentence).join('; ')}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">
<title id="title">${escapeMarkup(title)}</title>
<style>${COLOURS}
.ground { fill: var(--page); } .card { fill: var(--card); stroke: var(--line); }
text { font: 12px system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; fill: var(--soft); }
.title { font-size: 15px; font-weight: 600; fill: var(--ink); } .end { text-anchor: end; }
.good { fill: var(--good); font-weight: 600; } .bad { fill: var(--bad); font-weight: 600; }
${(['plain', 'both', 'proxy', 'disagree'] as const).map((each) => `rect.${each} { fill: var(--${each}); } text.${each} { fill: var(--${each}-ink); }`).join('\n')}
stop.plain { stop-color: var(--plain); } stop.both { stop-color: var(--both); } stop.proxy { stop-color: var(--proxy); }
.area { fill: var(--requests-fill); } .line { fill: none; stroke: var(--requests); stroke-width: 1.5; }
.grid { stroke: var(--grid); } .edge { stroke: var(--soft); stroke-dasharray: 3 3; opacity: 0.7; }
</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="12"/>
${placed.map((each) => panel(each, scale)).join('\n')}
<text x="${EDGE}" y="${height - 14}">${escapeMarkup(note(first))}</text>
</svg>
`;
}

interface Placed {
  readonly result: RehearsalResult;
  /** Of the panel's drawing, without the names of its rows. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** The first of its line has the names of the rows, and the figures of the axis. */
  readonly isFirst: boolean;
}

/** In lines, as words are set: all on one scale of time, so that a short run leaves room for another beside it. */
function place(results: readonly RehearsalResult[], { pixelsPerMs }: Scale): Placed[] {
  const placed: Placed[] = [];
  const startX = EDGE + NAMES;
  let x = startX;
  let y = EDGE;
  let lineHeight = 0;
  for (const result of results) {
    const width = result.durationMs * pixelsPerMs;
    if (x > startX && x + width > WIDTH - EDGE + 0.5) {
      x = startX;
      y += lineHeight + GAP;
      lineHeight = 0;
    }
    placed.push({ result, x, y, width, isFirst: x === startX });
    x += width + GAP;
    lineHeight = Math.max(lineHeight, heightOf(result));
  }
  return placed;
}

const heightOf = (result: RehearsalResult): number => HEAD + PHASE + PLOT + 10 + rowsOf(result).length * ROW + AXIS;

const failedOf = ({ newConnections, keepAlive }: RehearsalResult): number => newConnections.failed + keepAlive.failed;
const sentOf = ({ newConnections, keepAlive }: RehearsalResult): number => newConnections.sent + keepAlive.sent;

const dropped = ({ webSockets }: RehearsalResult): string =>
  `${count(webSockets.dropped)} of ${count(webSockets.opened)} WebSockets dropped`;

/** Each with the colour of its bars; the figure is said of all together. */
function kindsOf({ newConnections, keepAlive }: RehearsalResult): string {
  const kinds = FAILURE_KINDS.filter((kind) => newConnections.failures[kind] ?? keepAlive.failures[kind]);
  return kinds.map((kind) => `<tspan class="failure ${kind}">■</tspan> ${FAILURE_WORDS[kind]}`).join(', ');
}

const inOneSentence = (result: RehearsalResult): string =>
  `${ORDER_WORDS[result.order].title}, ${count(failedOf(result))} of ${count(sentOf(result))} requests failed, ${dropped(result)}`;

function note({ machines, nodes, policyDelayMs: [low, high], startedAt, versions }: RehearsalResult): string {
  return `${machines} instances, ${nodes} nodes that take a policy ${low / 1000} to ${high / 1000} s late, nginx ${versions.nginx}, HAProxy ${versions.haproxy}, all on one machine, ${startedAt.slice(0, 10)}`;
}

function panel({ result, x, y, isFirst }: Placed, scale: Scale): string {
  const failed = failedOf(result);
  const headX = isFirst ? EDGE : x;
  const head = `<text class="title" x="${headX}" y="${y + 16}">${ORDER_WORDS[result.order].title}</text>
<text x="${headX}" y="${y + 35}"><tspan class="${failed > 0 ? 'bad' : 'good'}">${count(failed)}</tspan> of ${count(sentOf(result))} requests failed${failed > 0 ? `: ${kindsOf(result)}` : `, ${dropped(result)}`}</text>`;
  const phaseY = y + HEAD;
  const plotY = phaseY + PHASE + 4;
  const rowsY = plotY + PLOT + 8;
  const rows = rowsOf(result);
  const parts = [head, phases(result, x, phaseY, scale), plot(result, x, plotY, scale)];
  if (isFirst) {
    const names: [string, number][] = [
      ['phase', phaseY + 15],
      ['requests', plotY + 12],
      ['per second', plotY + 27],
      ...rows.map(({ name }, index): [string, number] => [name, rowsY + index * ROW + 12]),
    ];
    parts.push(
      ...names.map(([name, at]) => `<text x="${EDGE}" y="${at}">${escapeMarkup(name)}</text>`),
      ...[scale.perSecond, scale.perSecond / 2].map(
        (value, index) => `<text class="end" x="${x - 6}" y="${plotY + 4 + (index * PLOT) / 2}">${count(value)}</text>`,
      ),
    );
  }
  for (const [index, { bands }] of rows.entries()) {
    parts.push(
      ...bands.map((each) =>
        band(each, { x, y: rowsY + index * ROW, height: ROW - 3, pixelsPerMs: scale.pixelsPerMs }),
      ),
    );
  }
  parts.push(axis(result, x, rowsY + rows.length * ROW + 12, scale));
  return parts.join('\n');
}

interface Band {
  readonly fromMs: number;
  readonly toMs: number;
  /** A mode, or `disagree`; two modes: on the way from one to the other. */
  readonly className: string;
  readonly label: string;
  readonly fill?: string;
}

function band(
  { fromMs, toMs, className, label, fill }: Band,
  at: { readonly x: number; readonly y: number; readonly height: number; readonly pixelsPerMs: number },
): string {
  const from = Math.max(0, fromMs) * at.pixelsPerMs;
  const width = toMs * at.pixelsPerMs - from - 1.5;
  if (width <= 0) return '';
  const shape = `<rect class="${className}" x="${px(at.x + from)}" y="${at.y}" width="${px(width)}" height="${at.height}" rx="3"${fill ? ` style="fill:${fill}"` : ''}/>`;
  if (label.length * LETTER + 10 > width) return shape;
  return `${shape}<text class="${className}" x="${px(at.x + from + 6)}" y="${at.y + at.height / 2 + 4}">${escapeMarkup(label)}</text>`;
}

const px = (value: number): string => value.toFixed(1);

function phases(result: RehearsalResult, x: number, y: number, { pixelsPerMs }: Scale): string {
  return result.phases
    .map((phase) => {
      const { name, startMs, endMs, modes } = phase;
      const drawn = { fromMs: startMs, toMs: endMs, className: classOf(phase), label: name };
      const at = { x, y, height: PHASE - 2, pixelsPerMs };
      if (!isTransition(phase)) return band(drawn, at);
      const id = `way-${modes.join('-')}`;
      const stops = modes.map((mode, index) => `<stop class="${mode}" offset="${index}"/>`).join('');
      return `<linearGradient id="${id}">${stops}</linearGradient>${band({ ...drawn, fill: `url(#${id})` }, at)}`;
    })
    .join('\n');
}

function classOf({ name, modes }: PhaseResult): string {
  return name === DISAGREEMENT_PHASE ? 'disagree' : (modes[0] ?? 'plain');
}

function plot(result: RehearsalResult, x: number, y: number, { pixelsPerMs, perSecond }: Scale): string {
  const width = result.durationMs * pixelsPerMs;
  const unit = PLOT / perSecond;
  const bottom = y + PLOT;
  const whole = result.seconds.filter(({ second }) => (second + 1) * 1000 <= result.durationMs);
  const at = (second: number): number => x + second * 1000 * pixelsPerMs;
  const points = whole.map((each) => `${px(at(each.second + 0.5))},${px(bottom - requestsIn(each) * unit)}`);
  const bars = result.seconds.flatMap(({ second, failures }) => {
    let top = bottom;
    return failureHeights(failures, perSecond).map(({ kind, height }) => {
      top -= height * unit;
      return `<rect class="failure ${kind}" x="${px(at(second + 0.08))}" y="${px(top)}" width="${px(840 * pixelsPerMs)}" height="${px(height * unit)}"/>`;
    });
  });
  const lines = [0, 0.5, 1].map(
    (part) =>
      `<line class="grid" x1="${px(x)}" x2="${px(x + width)}" y1="${y + PLOT * part}" y2="${y + PLOT * part}"/>`,
  );
  const edges = result.phases
    .slice(1)
    .map(
      ({ startMs }) =>
        `<line class="edge" x1="${px(x + startMs * pixelsPerMs)}" x2="${px(x + startMs * pixelsPerMs)}" y1="${y}" y2="${bottom}"/>`,
    );
  const area =
    points.length < 2
      ? []
      : [
          `<polygon class="area" points="${px(at(0.5))},${bottom} ${points.join(' ')} ${px(at(whole.length - 0.5))},${bottom}"/><polyline class="line" points="${points.join(' ')}"/>`,
        ];
  return [...lines, ...area, ...bars, ...edges].join('\n');
}

interface Row {
  readonly name: string;
  readonly bands: readonly Band[];
}

function rowsOf({ timeline, durationMs }: RehearsalResult): Row[] {
  const nodes = timeline.nodes.flatMap(({ address, changes }) =>
    [...new Set(changes.map(({ instancePort }) => instancePort))]
      .sort((left, right) => left - right)
      .map((port): Row => {
        const ofPort = changes.filter(({ instancePort }) => instancePort === port);
        return {
          name: `${address}:${port}`,
          bands: spans(ofPort, durationMs).map(({ change, ...when }) => ({
            ...when,
            className: change.hasPolicy ? 'proxy' : 'plain',
            label: change.hasPolicy ? 'sends the PROXY line' : 'plain',
          })),
        };
      }),
  );
  const instances = timeline.instances.map(
    ({ name, changes }): Row => ({
      name: `instance ${name}`,
      bands: spans(changes, durationMs).map(({ change, ...when }) => ({
        ...when,
        className: change.mode,
        label: { plain: 'plain', both: 'takes both', proxy: 'requires it' }[change.mode],
      })),
    }),
  );
  return [...nodes, ...instances];
}

function axis({ durationMs }: RehearsalResult, x: number, y: number, { pixelsPerMs }: Scale): string {
  const stepMs = [5, 10, 20, 30, 60, 120, 300, 600, 1_200]
    .map((each) => each * 1000)
    .find((each) => each * pixelsPerMs > 90);
  const ticks: string[] = [];
  for (let at = 0; at < durationMs - 2_000; at += stepMs ?? 3_600_000) {
    ticks.push(`<text x="${px(x + at * pixelsPerMs)}" y="${y}">${clock(at)}</text>`);
  }
  return ticks.join('');
}
