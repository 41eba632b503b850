/** Light and dark, of the page and of the picture. */
export const COLOURS = `
:root {
  --page: #f6f7f9; --card: #ffffff; --ink: #1c2128; --soft: #5a6472; --line: #d9dee5; --grid: #e6eaef;
  --good: #1a7f4b; --bad: #c4232b; --requests: #3b76c4; --requests-fill: #3b76c426;
  --plain: #c9d6ea; --plain-ink: #27436b; --both: #f5d896; --both-ink: #5c4205; --proxy: #a9dcbf; --proxy-ink: #10502f;
  --disagree: #f6c3c0; --disagree-ink: #7a1218;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --card: #1b2128; --ink: #e6eaef; --soft: #9aa6b4; --line: #333c47; --grid: #262e37;
    --good: #57c98a; --bad: #ff7b78; --requests: #7eb0f2; --requests-fill: #7eb0f22e;
    --plain: #2b3f5c; --plain-ink: #cfe0f7; --both: #6a5114; --both-ink: #ffe9b8; --proxy: #1d5638; --proxy-ink: #c6f1d8;
    --disagree: #6b2226; --disagree-ink: #ffd5d3;
  }
}
/* Failures by kind. */
.failure { background: var(--f); fill: var(--f); --f: #7d8590; }
.failure.reset { --f: #d4343c; } .failure.closed { --f: #ee8434; } .failure.status-400 { --f: #b44aa0; } .failure.timeout { --f: #7b5cd6; }
.failure.truncated { --f: #c9a227; } .failure.refused { --f: #8a5a2b; } .failure.status-5xx { --f: #2f8f9d; } .failure.tls { --f: #5c7f2e; }
`;

/**
 * The report's style. Modes are told apart by their words as well as by colour; the colours of failures by the legend and by what
 * appears when a bar is pointed at.
 */
export const STYLE = `${COLOURS}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem clamp(0.75rem, 3vw, 2.5rem) 3rem; max-width: 110rem; background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 0.3rem; }
h2 { font-size: 1.1rem; margin: 0; }
.page p, .what { color: var(--soft); margin: 0; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; margin: 0.8rem 0 1rem; padding: 0; font-size: 0.85rem; }
.legend li { display: flex; align-items: center; gap: 0.4rem; }
.legend i { width: 0.9rem; height: 0.9rem; border-radius: 3px; flex: none; }
.legend i.disagree { background: var(--disagree); }
.legend i.requests { background: var(--requests-fill); border: 2px solid var(--requests); }
.runs { display: grid; gap: 0 1rem; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 60rem) { .runs-2, .runs-3 { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (min-width: 80rem) { .runs-3 { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
.run { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; margin-bottom: 1rem;
  display: grid; grid-template-columns: minmax(0, 1fr); grid-template-rows: subgrid; grid-row: span 6; row-gap: 0; align-content: start; }
.what { font-size: 0.9rem; }
.big { margin: 0.5rem 0 0.25rem; font-size: 1.05rem; }
.big b { font-size: 2.1rem; line-height: 1; margin-right: 0.2rem; }
.good b, .good { color: var(--good); } .bad b, .bad { color: var(--bad); }
.notes { list-style: none; margin: 0 0 0.9rem; padding: 0; color: var(--soft); font-size: 0.9rem; }
.row { display: grid; grid-template-columns: 7.6rem minmax(0, 1fr); align-items: center; margin-bottom: 3px; }
.label { font-size: 0.78rem; color: var(--soft); padding-right: 0.5rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.track { position: relative; height: 1.35rem; }
.phases .track { height: 1.6rem; }
.plot { align-items: start; margin: 0.35rem 0 0.6rem; }
.plot .label { white-space: normal; width: 4.6rem; padding: 0; }
.plot .track { height: 11rem; border-bottom: 1px solid var(--line); }
.runs-1 .plot .track { height: 16rem; }
.plot svg { width: 100%; height: 100%; display: block; }
.tick { position: absolute; right: calc(100% + 0.35rem); font-size: 0.72rem; color: var(--soft); line-height: 1; transform: translateY(-40%); }
.band { position: absolute; inset-block: 0; container-type: inline-size; border-radius: 3px; overflow: hidden; box-shadow: inset -2px 0 0 var(--card); background: var(--grid); color: var(--soft); }
.band span { display: block; padding: 0 0.35rem; font-size: 0.75rem; line-height: 1.35rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
@container (max-width: 2.7rem) { .band span { display: none; } }
.phase span { line-height: 1.6rem; font-weight: 600; }
.mode.plain { background: var(--plain); color: var(--plain-ink); }
.mode.both { background: var(--both); color: var(--both-ink); }
.mode.proxy { background: var(--proxy); color: var(--proxy-ink); }
.phase.disagree { background: var(--disagree); color: var(--disagree-ink); }
.node + .instance { margin-top: 0.5rem; }
.axis { margin: 0; }
.axis .track span { position: absolute; font-size: 0.72rem; color: var(--soft); transform: translateX(-50%); }
.axis .track span:first-child { transform: none; }
polygon.requests { fill: var(--requests-fill); }
polyline.requests { fill: none; stroke: var(--requests); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.grid { stroke: var(--grid); vector-effect: non-scaling-stroke; }
.edge { stroke: var(--soft); stroke-dasharray: 3 3; vector-effect: non-scaling-stroke; opacity: 0.7; }
.shortfalls { margin: 0.8rem 0 0; padding-left: 1.1rem; color: var(--bad); font-size: 0.9rem; }
.tables { display: grid; gap: 0 3rem; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 80rem) { .tables { grid-template-columns: minmax(0, 9fr) minmax(0, 10fr); } .tables section:first-child { grid-row: span 9; } }
.tables section { margin-top: 1.5rem; }
table { border-collapse: collapse; margin-top: 0.5rem; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: baseline; white-space: nowrap; padding: 0.3rem 1.4rem 0.3rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { font-weight: 600; } tbody th { color: var(--soft); } td { text-align: right; } thead th[scope=col] { text-align: right; }
tbody th { white-space: normal; } td.words, th.words { text-align: left; white-space: normal; }
tr > :last-child { padding-right: 0; }
details { margin-top: 1rem; } details li { overflow-wrap: anywhere; } code { font-size: 0.82rem; }
summary { cursor: pointer; }
footer { margin-top: 1.5rem; color: var(--soft); font-size: 0.85rem; max-width: 70ch; }
@media (max-width: 40rem) { table { width: 100%; font-size: 0.8rem; } th, td { padding-right: 0.6rem; white-space: normal; } .when { display: none; } }
@media (max-width: 30rem) { .row { grid-template-columns: 6.8rem minmax(0, 1fr); } .run { padding: 0.75rem; } .label { font-size: 0.74rem; padding-right: 0.25rem; } .tick { font-size: 0.68rem; } }
@media print { body { background: none; } .run { break-inside: avoid; } }
`;
