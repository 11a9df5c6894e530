"""Style and script of the HTML plan. They are part of the page, which loads nothing."""

STYLE = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1c2024; --dim: #60666c; --line: #dfe3e8; --card: #f7f8fa;
  --add: #1a7f37; --add-bg: #dafbe1; --del: #b42318; --del-bg: #ffe4e1; --edit: #8a5a00; --adopt: #0a58ca; }
@media (prefers-color-scheme: dark) { :root { --bg: #15181c; --fg: #e6e8ea; --dim: #9aa1a9; --line: #30363d;
  --card: #1d2127; --add: #4cc06a; --add-bg: #12341f; --del: #ff8078; --del-bg: #43191a; --edit: #e0b050;
  --adopt: #79aaff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; background: var(--bg); color: var(--fg);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.where, .note, .detail, .place { color: var(--dim); }
.where { font-size: .85rem; overflow-wrap: anywhere; }
.search { position: sticky; top: 0; background: var(--bg); padding: .75rem 0; z-index: 1; }
.search input { width: 100%; padding: .5rem .75rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; }
.search output { font-size: .85rem; color: var(--dim); }
.change { border: 1px solid var(--line); border-left: 4px solid var(--tint, var(--line)); border-radius: .4rem;
  margin: .5rem 0; background: var(--card); overflow: hidden; }
.change > summary { display: flex; flex-wrap: wrap; gap: .25rem .75rem; padding: .4rem .75rem; cursor: pointer;
  align-items: baseline; }
.change > summary::-webkit-details-marker { display: none; }
.symbol { color: var(--tint); font-family: ui-monospace, monospace; font-weight: 700; }
.address { font-weight: 600; overflow-wrap: anywhere; }
.why { font-size: .85rem; color: var(--tint); }
.place { margin-left: auto; font: .8rem ui-monospace, monospace; overflow-wrap: anywhere; }
.create { --tint: var(--add); } .update { --tint: var(--edit); } .delete { --tint: var(--del); }
.adopt, .forget { --tint: var(--adopt); } .waits { --tint: var(--edit); } .decide { --tint: var(--del); }
.body { padding: 0 .75rem .6rem; border-top: 1px solid var(--line); }
.detail { margin: .4rem 0 0; font-size: .9rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin-top: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .15rem .75rem .15rem 0; overflow-wrap: anywhere; }
th { font: .85rem/1.7 ui-monospace, monospace; color: var(--dim); white-space: nowrap; width: 1%; font-weight: 400; }
del { color: var(--del); background: var(--del-bg); text-decoration: line-through; border-radius: .2rem;
  padding: 0 .15rem; }
ins { color: var(--add); background: var(--add-bg); text-decoration: none; border-radius: .2rem; padding: 0 .15rem; }
.tag { font-size: .8rem; color: var(--del); border: 1px solid currentcolor; border-radius: 1rem; padding: 0 .5rem;
  white-space: nowrap; }
[hidden] { display: none !important; }
@media (max-width: 36rem) { .place { margin-left: 0; width: 100%; } th { white-space: normal; }
  th, td { display: block; width: auto; padding: 0; } td { padding-bottom: .3rem; } }
@media print { .search { display: none; } .change { break-inside: avoid; } }
"""

SCRIPT = """
const box = document.querySelector(".search"), field = box.querySelector("input"), count = box.querySelector("output");
const changes = [...document.querySelectorAll(".change")], sections = [...document.querySelectorAll("section")];
box.hidden = false;
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const change of changes) {
    const text = change.textContent.toLowerCase();
    change.hidden = !words.every((word) => text.includes(word));
    shown += !change.hidden;
  }
  for (const section of sections)
    section.hidden = words.length > 0 && !section.querySelector(".change:not([hidden])");
  count.value = words.length ? shown + " of " + changes.length : "";
});
"""
