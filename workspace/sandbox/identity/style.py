"""The look of the provider's pages and their one enhancement, as text served from their own addresses.

Kept in a module so that an installed package needs no data files. Loads nothing from elsewhere.
"""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #eef2f5; --surface: #fff; --line: #d5dde4; --edge: #7b8b98; --text: #15212c; --muted: #465664;
  --accent: #0b5c8f; --wash: #e8f1f7; --warn: #7a4a00; --warn-wash: #fff1d6; --warn-line: #d9a441;
  --t0: #0b5c8f; --t1: #1f6b4a; --t2: #6a4a9c; --t3: #8a4b16; --t4: #94385c; --t5: #2f5d6b; --on-tint: #fff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f161c; --surface: #182129; --line: #2d3a45; --edge: #6d7f8d; --text: #e7edf2; --muted: #a3b3bf;
    --accent: #6bb6e6; --wash: #1f2d38; --warn: #f3c669; --warn-wash: #33280f; --warn-line: #7d6225;
    --t0: #6bb6e6; --t1: #74c79c; --t2: #bda3ea; --t3: #e6ab78; --t4: #eb9dbb; --t5: #8fc3d2; --on-tint: #0f161c;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.45 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
header {
  display: flex; align-items: center; justify-content: space-between; gap: 16px;
  padding: 12px 24px; background: var(--surface); border-bottom: 1px solid var(--line);
}
.home { font-weight: 600; color: var(--muted); }
.mark {
  font-size: 13px; font-weight: 700; letter-spacing: .08em; padding: 3px 10px; border-radius: 6px;
  color: var(--warn); background: var(--warn-wash); border: 1px solid var(--warn-line);
}
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 48px; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -.015em; margin: 0 0 6px; }
p { margin: 0 0 8px; }
.muted { color: var(--muted); }
.lead { display: flex; flex-wrap: wrap; align-items: flex-end; justify-content: space-between; gap: 20px 32px;
  margin-bottom: 24px; }
.lead p { margin: 0; }
.search { flex: 0 1 340px; display: grid; grid-template-columns: 1fr auto; gap: 6px 12px; }
.search label { font-size: 14px; font-weight: 600; }
.search #count { font-size: 14px; margin: 0; }
.search input {
  grid-column: 1 / -1; grid-row: 2; width: 100%; min-height: 44px; padding: 8px 14px; font: inherit;
  color: inherit; background: var(--surface); border: 1px solid var(--edge); border-radius: 10px;
}
.people {
  list-style: none; margin: 0; padding: 0;
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); gap: 14px;
}
.people li { display: flex; }
button { font: inherit; color: inherit; cursor: pointer; }
.card {
  width: 100%; display: flex; align-items: center; gap: 16px; text-align: left; min-height: 104px; padding: 16px 18px;
  background: var(--surface); border: 1px solid var(--line); border-radius: 14px;
}
.card:hover { background: var(--wash); border-color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.face {
  flex: none; width: 56px; height: 56px; border-radius: 50%; display: grid; place-items: center;
  font-size: 19px; font-weight: 650; color: var(--on-tint);
}
.tint-0 { background: var(--t0); } .tint-1 { background: var(--t1); } .tint-2 { background: var(--t2); }
.tint-3 { background: var(--t3); } .tint-4 { background: var(--t4); } .tint-5 { background: var(--t5); }
.who { display: block; min-width: 0; flex: 1; overflow-wrap: anywhere; }
.name { display: block; font-size: 18px; font-weight: 650; line-height: 1.25; }
.role { display: block; margin-top: 1px; }
.where { display: block; margin-top: 3px; font-size: 14px; color: var(--muted); }
.unit, .shift { display: block; }
.shift { font-variant-numeric: tabular-nums; }
.end { margin: 28px 0 0; }
.quiet { min-height: 44px; padding: 8px 18px; background: none; border: 1px solid var(--edge); border-radius: 10px; }
.quiet:hover { background: var(--surface); border-color: var(--accent); }
.notice {
  max-width: 560px; margin: 8vh auto 0; padding: 32px; background: var(--surface); border: 1px solid var(--line);
  border-radius: 14px;
}
.notice h1 { font-size: 26px; margin-bottom: 12px; }
@media (max-width: 640px) {
  header { padding: 10px 16px; }
  main { padding: 20px 16px 32px; }
  h1 { font-size: 25px; }
  .search { flex-basis: 100%; }
  .card { min-height: 92px; padding: 14px; gap: 14px; }
  .people { gap: 10px; }
}
@media (forced-colors: active) { .face, .mark { border: 1px solid; } }
"""

SCRIPT = """
"use strict";
// Narrows the cards while typing; Enter chooses when one is left. Without this script the page is whole.
const field = document.getElementById("filter");
const cards = Array.from(document.querySelectorAll("#people li"));
const plain = (text) => text.toLocaleLowerCase("nb").replace(/\\s+/g, " ");
const texts = cards.map((card) => plain(card.textContent));
function narrow() {
  const words = plain(field.value).split(" ").filter(Boolean);
  let left = 0;
  cards.forEach((card, index) => {
    card.hidden = !words.every((word) => texts[index].includes(word));
    left += card.hidden ? 0 : 1;
  });
  document.getElementById("count").textContent = left + " av " + cards.length;
  document.getElementById("nobody").hidden = left > 0;
}
document.getElementById("search").hidden = false;
field.addEventListener("input", narrow);
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const left = cards.filter((card) => !card.hidden);
  if (left.length === 1) left[0].querySelector("button").click();
});
// Not on a touch screen: the keyboard would cover the people.
if (matchMedia("(hover: hover)").matches && !document.querySelector("[autofocus]")) field.focus();
narrow();
"""
