#include "html_style.hpp"

namespace jackal::tbdiscovery {

// One column, at most a comfortable line long. On a phone every row of a table becomes a block whose cells
// say what they are, so that nothing has to be scrolled sideways. On paper the colours go and nothing is cut
// in two.
std::string_view html_style() {
  return R"css(
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --quiet: #59636e; --line: #d8dee4; --soft: #f6f8fa;
  --accent: #0a5fd1; --error: #c4232e; --warning: #935a00; --notice: #4f5b67; --good: #17733a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f1317; --ink: #e4e8ec; --quiet: #98a3ae; --line: #2c343c; --soft: #171c22;
    --accent: #69a7ff; --error: #ff7b78; --warning: #e0a63c; --notice: #a3afba; --good: #58bf7b;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
main { max-width: 58rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .35rem; letter-spacing: -.015em; text-wrap: balance; }
h2 { font-size: 1.1rem; margin: 2.75rem 0 .9rem; padding-bottom: .35rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
p { margin: .4rem 0; max-width: 46rem; }
.quiet, .kicker { color: var(--quiet); }
.kicker { font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; margin: 0 0 .6rem; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1.4rem 0 0; padding: 0; list-style: none; }
.facts b { display: block; font-size: 1.25rem; line-height: 1.25; font-weight: 600; }
.facts span { color: var(--quiet); font-size: .85rem; }
figure { margin: 0 0 1.5rem; }
figcaption { color: var(--quiet); font-size: .85rem; margin-top: .75rem; text-align: center; }
figcaption i { display: inline-block; width: 1.6rem; border-top: 3px solid var(--accent); vertical-align: middle;
  margin: 0 .35rem 0 .9rem; }
figcaption i.other { border-top: 3px dashed var(--quiet); }
figure svg { display: block; margin: 0 auto; max-width: 100%; max-height: 42rem; height: auto; }
svg .machine { fill: var(--soft); stroke: var(--quiet); }
svg .name, svg .label { fill: var(--ink); }
svg .detail { fill: var(--quiet); }
svg .rim { fill: var(--paper); stroke: var(--paper); }
svg .cable { stroke: var(--quiet); stroke-width: 2; }
svg .cable.rdma { stroke: var(--accent); stroke-width: 2.5; }
table { width: 100%; border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--quiet); font-size: .78rem; letter-spacing: .02em; }
th, td { padding: .38rem .9rem .38rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { font-weight: 600; }
td:empty::after { content: "\2013"; color: var(--quiet); }
.problem { border-left: 3px solid var(--notice); padding: .1rem 0 .1rem 1rem; margin: 0 0 1.5rem; }
.problem.error { border-color: var(--error); }
.problem.warning { border-color: var(--warning); }
.problem p { margin: .2rem 0; }
.problem .what { font-weight: 600; }
.problem .next { white-space: pre-wrap; }
.label { font-size: .78rem; color: var(--quiet); }
.severity { font-weight: 600; text-transform: uppercase; letter-spacing: .06em; color: var(--notice); }
.error > .label .severity { color: var(--error); }
.warning > .label .severity { color: var(--warning); }
.good { color: var(--good); font-weight: 600; }
ol.ranks { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; margin: .9rem 0; }
ol.ranks li { border: 1px solid var(--line); border-radius: 6px; padding: .25rem .7rem; background: var(--soft); }
ol.ranks small { color: var(--quiet); margin-right: .45rem; }
pre, code { font-family: ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; }
pre { font-size: .8rem; line-height: 1.55; white-space: pre-wrap; background: var(--soft); border: 1px solid var(--line);
  border-radius: 6px; padding: .8rem 1rem; margin: .4rem 0; }
footer { margin-top: 3.5rem; color: var(--quiet); font-size: .8rem; }
@media (max-width: 44rem) {
  main { padding: 1.5rem 1rem 3rem; }
  thead { display: none; }
  table, tbody, tr, td { display: block; }
  tr { border-bottom: 1px solid var(--line); padding: .55rem 0; }
  td { border: 0; padding: .1rem 0; display: flex; gap: .75rem; }
  td::before { content: attr(data-label); flex: 0 0 6.2rem; color: var(--quiet); font-weight: 400; }
  td:empty { display: none; }
}
@media print {
  :root { --paper: #fff; --ink: #000; --quiet: #444; --line: #bbb; --soft: #fff;
    --accent: #000; --error: #000; --warning: #000; --notice: #000; --good: #000; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  h2 { margin-top: 1.6rem; break-after: avoid; }
  h3 { break-after: avoid; }
  figure, .problem, tr, li { break-inside: avoid; }
  pre { break-inside: auto; }
  thead { display: table-header-group; }
  figure svg { max-height: 11cm; }
  @page { margin: 16mm; }
}
)css";
}

}  // namespace jackal::tbdiscovery
