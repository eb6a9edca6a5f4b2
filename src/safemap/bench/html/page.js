"use strict";
// Everything that is not a chart: the tooltip, the colour scheme, sorting, filtering, the heat map's keys.

const data = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");
let tipped = null;

function showTip(element, text, x, y) {
  if (tipped && tipped !== element) tipped.removeAttribute("aria-describedby");
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const room = document.documentElement.clientWidth;
  const above = y - height - 12;
  tip.style.left = `${Math.max(8, Math.min(x - width / 2, room - width - 8))}px`;
  tip.style.top = `${above > 4 ? above : y + 16}px`;
  tipped = element;
  element.setAttribute("aria-describedby", "tip");
}

function showTipAt(element, text) {
  const box = element.getBoundingClientRect();
  showTip(element, text, box.left + box.width / 2, box.top);
}

function hideTip() {
  tip.hidden = true;
  if (tipped) tipped.removeAttribute("aria-describedby");
  tipped = null;
}

document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
document.addEventListener("scroll", (event) => {
  // Focus scrolls what it reaches into view: then the tooltip goes with it.
  if (tipped && tipped === document.activeElement && tipped.tip) showTipAt(tipped, tipped.tip);
  else hideTip();
}, { capture: true, passive: true });

// --- the colour scheme ---------------------------------------------------------------------------

const scheme = document.getElementById("scheme");
const darkness = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.scheme || (darkness.matches ? "dark" : "light")) === "dark";
const nameScheme = () => { scheme.textContent = isDark() ? "Light" : "Dark"; };
scheme.hidden = false;
scheme.addEventListener("click", () => {
  document.documentElement.dataset.scheme = isDark() ? "light" : "dark";
  nameScheme();
});
darkness.addEventListener("change", nameScheme);
nameScheme();

// --- tables that sort ----------------------------------------------------------------------------

const sortKey = (row, column) => {
  const cell = row.cells[column];
  if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
  return cell.classList.contains("none") ? null : cell.textContent;
};

function compareKeys(one, other, sign) {
  if (one === null || other === null) return (one === null) - (other === null); // what is not there comes last
  if (typeof one === "number" && typeof other === "number") return sign * (one - other);
  return sign * String(one).localeCompare(String(other), "en", { numeric: true });
}

function sortTable(table, column) {
  const head = table.tHead.rows[0].cells[column];
  const ascending = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [sortKey(row, column), row]);
  keyed.sort(([one], [other]) => compareKeys(one, other, ascending ? 1 : -1));
  body.append(...keyed.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sort")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortTable(table, column));
    head.append(button);
    if (table.tBodies[0].rows[0]?.cells[column]?.classList.contains("n")) head.classList.add("n");
  });
}

for (const input of document.querySelectorAll("input[data-filter]")) {
  const paragraph = input.closest("p");
  const rows = [...document.getElementById(input.dataset.filter).tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  paragraph.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase().split(/\s+/);
    let left = 0;
    rows.forEach((row, at) => {
      row.hidden = !wanted.every((word) => texts[at].includes(word));
      left += !row.hidden;
    });
    paragraph.querySelector("output").textContent = `${left} of ${rows.length} rows`;
  });
}

// --- the heat map: one stop for Tab, arrow keys from cell to cell ----------------------------------

function heatText(cell) {
  const row = cell.parentElement;
  const column = cell.closest("table").tHead.rows[0].cells[cell.cellIndex].textContent;
  const shown = cell.firstChild ? cell.firstChild.textContent : "";
  const interval = cell.querySelector("small")?.textContent;
  const reference = data.reference;
  const lines = [`${column} on ${row.cells[0].textContent}`];
  if (cell.matches(".none")) lines.push("not measured");
  else if (cell.matches(".fault, .capped, .lost")) lines.push(`${shown}: ${cell.dataset.r}`);
  else {
    if (!cell.matches(".one")) lines.push(`${shown} × ${reference}` + (interval ? `, 95 % interval ${interval}` : ""));
    if (cell.matches(".tie")) lines.push("a tie: within noise");
    lines.push(cell.dataset.r);
  }
  return lines.join("\n");
}

for (const table of document.querySelectorAll("table.heat")) {
  const rows = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("td")]).filter((row) => row.length);
  let current = rows[0]?.[0];
  if (!current) continue;
  table.setAttribute("role", "grid");
  for (const cell of rows.flat()) cell.tabIndex = -1;
  current.tabIndex = 0;
  const show = (cell) => { cell.tip = heatText(cell); showTipAt(cell, cell.tip); };
  table.addEventListener("focusin", (event) => {
    if (!event.target.matches("td")) return;
    current.tabIndex = -1;
    current = event.target;
    current.tabIndex = 0;
    show(current);
  });
  table.addEventListener("focusout", hideTip);
  table.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td");
    if (cell) show(cell); else hideTip();
  });
  table.addEventListener("pointerleave", hideTip);
  table.addEventListener("keydown", (event) => {
    const y = rows.findIndex((row) => row.includes(current));
    const x = rows[y].indexOf(current);
    const moves = { ArrowLeft: [y, x - 1], ArrowRight: [y, x + 1], ArrowUp: [y - 1, x], ArrowDown: [y + 1, x],
      Home: [y, 0], End: [y, rows[y].length - 1] };
    const next = moves[event.key] && rows[moves[event.key][0]]?.[moves[event.key][1]];
    if (!moves[event.key]) return;
    event.preventDefault();
    next?.focus();
  });
}
