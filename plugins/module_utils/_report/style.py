# Copyright (c) 2026 the dbops.recovery authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a report looks: on a screen, light or dark, wide or narrow, and on paper.

Colours have a contrast of 4.5 and more to what they stand on where they are text, and of 3 where they are a shape.

Private to the collection.
"""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif;
  --mono: ui-monospace, "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace;
  --page: #f5f6f8; --card: #ffffff; --ink: #1c2430; --soft: #55606e; --line: #dde2e8; --accent: #2c5f9e;
  --passed: #1b7a48; --passed-back: #e6f4ec; --missed: #8a5300; --missed-back: #fcf1dc;
  --failed: #b3261e; --failed-back: #fdeceb;
  --bar: #5b86b8; --bar-missed: #c07a10; --bar-failed: #cf4a41; --strip: #3f9b6b;
  --phase-0: #6d7a8a; --phase-1: #3f74b5; --phase-2: #8a63c4; --phase-3: #5f7f2f;
  --phase-4: #1f8f86; --phase-5: #b7791f; --phase-6: #b8527f; --phase-7: #a15c3e;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #0f1319; --card: #171d26; --ink: #e6eaf0; --soft: #a0abb9; --line: #2b3440; --accent: #86b3ec;
    --passed: #62cf93; --passed-back: #12291d; --missed: #ecbb5f; --missed-back: #2d2413;
    --failed: #ff938b; --failed-back: #341a18;
    --bar: #5f8fc7; --bar-missed: #d7942f; --bar-failed: #e2625a; --strip: #3c9a69;
    --phase-0: #8a97a8; --phase-1: #5b93d8; --phase-2: #a585dd; --phase-3: #8fb35a;
    --phase-4: #33aca2; --phase-5: #d0963b; --phase-6: #d5739d; --phase-7: #cf8b6c;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 var(--sans);
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
main, footer { max-width: 64rem; margin: 0 auto; padding: 0 1rem; }
main { padding-top: 1.5rem; }
a { color: var(--accent); text-underline-offset: 2px; }
a:focus-visible, summary:focus-visible, pre:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
h1, h2, h3, p, dl, dd, ul, figure, pre { margin: 0; }
h1 { font-size: clamp(1.5rem, 1.1rem + 1.8vw, 2.1rem); line-height: 1.2; letter-spacing: -0.01em; text-wrap: balance; }
h2 { font-size: 1.15rem; line-height: 1.3; }
h3 { font-size: 1rem; line-height: 1.3; }
code, pre { font-family: var(--mono); font-size: 0.87em; }
code, pre, .any { overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.passed-text { color: var(--passed); } .missed-text, .warning-text { color: var(--missed); }
.failed-text { color: var(--failed); } .unasked-text { color: var(--soft); }
.result { font-weight: 600; white-space: nowrap; }

.verdict { display: flex; gap: 1rem; padding: 1.4rem 1.7rem; border-radius: 12px; }
.verdict.passed { background: linear-gradient(90deg, var(--passed) 6px, var(--passed-back) 6px); }
.verdict.missed { background: linear-gradient(90deg, var(--missed) 6px, var(--missed-back) 6px); }
.verdict.failed { background: linear-gradient(90deg, var(--failed) 6px, var(--failed-back) 6px); }
.verdict .lede { font-size: 1.12rem; margin-top: 0.3rem; }
.verdict .when { color: var(--soft); margin-top: 0.5rem; font-size: 0.92rem; }
.icon { flex: none; width: 1em; height: 1em; vertical-align: -0.12em; }
.icon .disc { fill: currentColor; }
.icon .sign { fill: none; stroke: var(--card); stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.verdict > .icon { width: 2.6rem; height: 2.6rem; }
h2 .icon { margin-right: 0.45rem; }

.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.1rem 1.25rem; margin-top: 1rem;
}
.card > h2, .card > h3 { margin-bottom: 0.7rem; }
.card p + p, .card p + ul { margin-top: 0.4rem; }
.database { margin-top: 2.6rem; padding-top: 1.4rem; border-top: 1px solid var(--line); }
.database > .lede { margin-top: 0.2rem; }

.facts { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1rem; margin-top: 1rem; }
.facts > div { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 0.8rem 1rem; }
.facts dt { color: var(--soft); font-size: 0.88rem; }
.facts .value { font-size: 1.45rem; font-weight: 600; line-height: 1.3; }
.facts .note { font-size: 0.88rem; color: var(--soft); }
.facts .note.passed-text { color: var(--passed); } .facts .note.missed-text { color: var(--missed); }
.facts .note.failed-text { color: var(--failed); }

table { width: 100%; border-collapse: collapse; font-size: 0.93rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 0.85rem; }
tbody th { color: var(--ink); font-size: inherit; }
th, td { padding: 0.36rem 0.9rem 0.36rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child > * { border-bottom: 0; }
.number { text-align: right; }
td.number, tbody th { white-space: nowrap; }
details table { font-size: 0.87rem; }
tbody th.any { white-space: normal; }
.finding { display: flex; flex-wrap: wrap; gap: 0 1rem; }
.finding code { flex: 0 1 15rem; padding-top: 0.1em; }
.finding span { flex: 1 1 15rem; min-width: 0; }
.swatch { width: 0.8em; height: 0.8em; margin-right: 0.5em; vertical-align: -0.05em; }

pre.message {
  white-space: pre-wrap; max-height: 26rem; overflow-y: auto; padding: 0.8rem 1rem; border-radius: 8px;
  background: var(--failed-back); margin-top: 0.5rem;
}
ul { padding-left: 1.2rem; }
.pairs { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 1.2rem; font-size: 0.93rem; }
.pairs dt { color: var(--soft); }

svg { display: block; overflow: visible; }
svg.icon, svg.swatch { display: inline-block; }
svg text { font: 12px/1 var(--sans); }
.bar { margin-bottom: 0.8rem; }
.bar rect { stroke: var(--card); stroke-width: 1.5; }
.phase-0 { fill: var(--phase-0); } .phase-1 { fill: var(--phase-1); } .phase-2 { fill: var(--phase-2); }
.phase-3 { fill: var(--phase-3); } .phase-4 { fill: var(--phase-4); } .phase-5 { fill: var(--phase-5); }
.phase-6 { fill: var(--phase-6); } .phase-7 { fill: var(--phase-7); }
.charts { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1.4rem 1.8rem; margin-top: 1.2rem; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; }
figcaption { margin-bottom: 0.5rem; font-size: 0.93rem; }
.chart { width: calc(100% - 3.8rem); margin-left: 3.8rem; }
.chart .grid { stroke: var(--line); }
.chart .tick, .chart .date, .chart .absent { fill: var(--soft); }
.chart .tick, .end { text-anchor: end; }
.mark, .absent { text-anchor: middle; }
.chart rect.passed { fill: var(--bar); } .chart rect.missed { fill: var(--bar-missed); }
.chart rect.failed { fill: var(--bar-failed); }
svg .mark { font-weight: 700; font-size: 14px; }
.chart .mark.missed { fill: var(--missed); } .chart .mark.failed { fill: var(--failed); }
.strip rect.passed { fill: var(--strip); } .strip rect.missed { fill: var(--missed); }
.strip rect.failed { fill: var(--failed); }
.strip .mark { fill: var(--card); }
.chart line.target { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 5 4; }
.chart text.target {
  fill: var(--ink); text-anchor: end;
  paint-order: stroke; stroke: var(--card); stroke-width: 3px; stroke-linejoin: round;
}
.hint { fill: transparent; }
.hint:hover { fill: var(--ink); fill-opacity: 0.07; }
details { margin-top: 0.9rem; }
summary { cursor: pointer; color: var(--accent); width: fit-content; }
details table { margin-top: 0.6rem; }
footer { color: var(--soft); font-size: 0.88rem; padding-top: 1.5rem; padding-bottom: 2.5rem; }
footer p + p { margin-top: 0.4rem; }

@media (max-width: 44rem) {
  .minor { display: none; }
}
@media (max-width: 22rem) {
  tbody th { white-space: normal; }
  .card { padding: 0.8rem 0.6rem; }
}
@media (max-width: 52rem) {
  .facts { grid-template-columns: repeat(2, 1fr); }
  .charts { grid-template-columns: 1fr; }
}
@media (max-width: 34rem) {
  main { padding-top: 0.8rem; }
  .verdict { padding: 1.1rem 1rem 1.1rem 1.2rem; gap: 0.8rem; }
  .verdict > .icon { width: 2rem; height: 2rem; }
  .card { padding: 1rem 0.9rem; }
  .facts { gap: 0.6rem; }
  .facts > div { padding: 0.7rem 0.8rem; }
  .facts .value { font-size: 1.2rem; }
  .result { white-space: normal; }
  th, td { padding-right: 0.5rem; }
  .pairs { grid-template-columns: 1fr; gap: 0; }
  .pairs dd + dt { margin-top: 0.5rem; }
}
@media print {
  @page { margin: 14mm; }
  :root { --page: #ffffff; }
  html { font-size: 12px; }
  body { font-size: 1rem; line-height: 1.4; }
  main { padding-top: 0; }
  .facts { gap: 0.8rem; }
  th, td { padding-top: 0.15rem; padding-bottom: 0.15rem; }
  .charts { gap: 1rem 1.8rem; }
  svg text { font-size: 9px; }
  .chart { width: calc(100% - 3rem); margin-left: 3rem; }
  main, footer { max-width: none; padding-left: 0; padding-right: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .card, .facts > div, figure, tr { break-inside: avoid; }
  .card.long { break-inside: auto; }
  h2, h3, .lede { break-after: avoid; }
  .facts { grid-template-columns: repeat(4, 1fr); }
  .charts { grid-template-columns: repeat(3, 1fr); }
  pre.message { max-height: none; overflow: visible; }
  details:not([open]) { display: none; }
  a { color: inherit; text-decoration: none; }
}
"""
