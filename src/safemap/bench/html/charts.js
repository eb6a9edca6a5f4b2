// Charts: SVG at the width that there is, drawn again when that changes or a series is switched on or off.

const SVG = document.getElementById("drawing").namespaceURI;
const FILLED = ["circle", "square", "triangle", "diamond", "down"];
const OPEN = ["cross", "plus", "circle", "square", "triangle", "diamond", "down"];
const DASHES = ["", "5 3", "2 3", "8 3 2 3", "10 4", "1 3", "6 2 1 2 1 2"];
const hidden = new Set(data.contestants.flatMap((each, at) => (each.shown ? [] : [at])));

// Variants have colours and full marks, and open ones and dashes where the colours come round again; baselines are
// grey, and told apart by open marks and dashes.
const counts = { true: 0, false: 0 };
const looks = data.contestants.map((each) => {
  const variant = each.role === "variant";
  const at = counts[variant]++;
  const [place, round] = [at % FILLED.length, Math.floor(at / FILLED.length)];
  if (variant) return { color: `s${place}`, shape: FILLED[place], dash: DASHES[round % DASHES.length], open: round > 0 };
  return { color: "sx", shape: OPEN[at % OPEN.length], dash: DASHES[at % DASHES.length], open: true };
});
const PLAIN = { color: "sx", shape: "circle", dash: "", open: false };
const look = (series) => (series.c === null ? PLAIN : looks[series.c]);

function make(name, attributes, parent, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== "") element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

function shape(kind, x, y, r, attributes, parent) {
  const paths = {
    square: `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
    triangle: `M${x},${y - r * 1.2}l${r * 1.2},${r * 2.1}h${-r * 2.4}z`,
    down: `M${x},${y + r * 1.2}l${r * 1.2},${-r * 2.1}h${-r * 2.4}z`,
    diamond: `M${x},${y - r * 1.35}l${r * 1.35},${r * 1.35}l${-r * 1.35},${r * 1.35}l${-r * 1.35},${-r * 1.35}z`,
    cross: `M${x - r},${y - r}l${2 * r},${2 * r}m0,${-2 * r}l${-2 * r},${2 * r}`,
    plus: `M${x},${y - r * 1.3}v${r * 2.6}M${x - r * 1.3},${y}h${r * 2.6}`,
  };
  if (!paths[kind]) return make("circle", { cx: x, cy: y, r, ...attributes }, parent);
  const lines = kind === "cross" || kind === "plus";
  return make("path", { d: paths[kind], ...attributes, class: attributes.class + (lines ? " open" : "") }, parent);
}

// --- one chart --------------------------------------------------------------------------------------

function drawn(chart) {
  return chart.series.filter((each) => each.c === null || !hidden.has(each.c));
}

function wording(chart, series, at) {
  const name = series.c === null ? chart.rows[series.p[at][1]] : data.contestants[series.c].name;
  const [x, y, low, high, ratio, from, to] = series.p[at];
  if (chart.kind === "strip") {
    const unit = UNITS[chart.x.unit];
    return `${name}, ${series.names[at]}\n${chart.x.label} ${unit.text(x)}${unit.name}`;
  }
  const unit = UNITS[chart.y.unit];
  const where = {
    threads: () => (x === 1 ? "1 thread" : `${x} threads`),
    reads: () => `${trimmed(x * 100)} % reads`,
    entries: () => `${trimmed(x)} entries`,
    "share of operations": () => `${(x * 100).toFixed(Math.max(1, Math.ceil(-Math.log10(1 - x)) - 1))} % within`,
  }[chart.x.label]();
  const lines = [`${name}, ${where}`, unit.text(y) + unit.name];
  if (high > low) lines.push(`all blocks ${unit.text(low)}–${unit.text(high)}`);
  if (ratio) lines.push(`${digits(ratio)} × ${data.reference}` + (to > from ? `, 95 % interval ${digits(from)}–${digits(to)}` : ""));
  if (series.behind) lines.push("did not keep up with the load");
  if (chart.beyond && x >= chart.beyond) lines.push("more threads than cores: nothing is claimed");
  return lines.join("\n");
}

function pathOf(chart, points, x, y, sx, sy) {
  if (!chart.harmonic) return "M" + points.map(([a, b]) => `${sx(x.place(a))},${sy(y.place(b))}`).join("L");
  const steps = [];
  points.forEach(([a, b], at) => {
    const before = points[at - 1];
    for (let part = before ? 1 : 12; part <= 12; part++) {
      const here = before ? before[0] + ((a - before[0]) * part) / 12 : a;
      const rate = before ? 1 / (1 / before[1] + ((1 / b - 1 / before[1]) * part) / 12) : b;
      steps.push(`${sx(x.place(here))},${sy(y.place(rate))}`);
    }
  });
  return "M" + steps.join("L");
}

function frame(chart, width, shown) {
  const strip = chart.kind === "strip";
  const points = shown.flatMap((each) => each.p);
  const rows = strip ? chart.rows.map((_, row) => row).filter((row) => shown.some((each) => each.p[0]?.[1] === row)) : [];
  const x = axis(chart.x, points.map(([value]) => value).concat((chart.bands || []).flatMap(([, floor]) => (floor ? [floor, 1 / floor] : []))));
  const y = strip
    ? { place: (row) => 1 - (rows.indexOf(Math.round(row)) + 0.5 + (row - Math.round(row))) / rows.length, ticks: rows.map((row) => [row, chart.rows[row]]) }
    : axis(chart.y, points.flatMap(([, ...values]) => values.slice(0, 3)));
  const longest = Math.max(0, ...y.ticks.map(([, name]) => name.length));
  const left = Math.min(strip ? width * 0.38 : 80, longest * 6.4 + 12);
  const height = strip ? rows.length * 26 + 44 : Math.round(Math.min(380, Math.max(240, width * 0.62)));
  const [right, top, bottom] = [12, strip ? 6 : 22, 38];
  return { x, y, rows, left, height, top, bottom, width,
    sx: (part) => +(left + part * (width - left - right)).toFixed(1),
    sy: (part) => +(height - bottom - part * (height - top - bottom)).toFixed(1) };
}

function scaffold(svg, chart, f) {
  const { x, y, sx, sy } = f;
  let free = -Infinity;
  for (const [value, name] of x.ticks) {
    const at = sx(x.place(value));
    const half = name.length * 3.2 + 3;
    if (at < f.left - 1 || at > f.width - 11) continue;
    make("line", { class: "grid", x1: at, x2: at, y1: f.height - f.bottom, y2: f.height - f.bottom + 4 }, svg);
    if (Math.min(at, f.width - half) - half < free) continue;
    free = at + half;
    const ends = at + half > f.width;
    make("text", { x: ends ? f.width : at, y: f.height - f.bottom + 16, "text-anchor": ends ? "end" : "middle" }, svg, name);
  }
  for (const [value, name] of y.ticks) {
    const at = sy(y.place(value));
    make("line", { class: value === 0 && chart.kind !== "strip" ? "zero" : "grid", x1: f.left, x2: f.width - 12, y1: at, y2: at }, svg);
    make("text", { x: f.left - 7, y: at + 4, "text-anchor": "end" }, svg, name.length * 6.4 > f.left - 8 ? `${name.slice(0, Math.floor(f.left / 6.4) - 2)}…` : name);
  }
  make("text", { x: f.width - 12, y: f.height - 5, "text-anchor": "end" }, svg, chart.x.label);
  if (chart.y) make("text", { x: 0, y: 11 }, svg, chart.y.label);
  if (chart.beyond) {
    const from = (x.place(chart.beyond) + x.place(chart.x.ticks.map(([v]) => v).filter((v) => v < chart.beyond).pop() ?? chart.beyond)) / 2;
    make("rect", { class: "beyond", x: sx(from), y: f.top, width: f.width - 12 - sx(from), height: f.height - f.top - f.bottom }, svg);
    make("text", { x: f.width - 16, y: f.top + 13, "text-anchor": "end" }, svg, "nothing is claimed");
  }
  for (const [row, floor] of chart.bands || []) {
    if (!floor) continue;
    const [from, to] = [sx(Math.max(0, x.place(1 / floor))), sx(Math.min(1, x.place(floor)))];
    make("rect", { class: "band", x: from, y: sy(y.place(row)) - 11, width: to - from, height: 22 }, svg);
  }
}

function draw(figure) {
  const { chart, plot } = figure;
  const width = Math.max(240, Math.round(plot.parentElement.clientWidth));
  const shown = drawn(chart).filter((each) => each.p.length);
  const kept = plot.querySelector(".point:focus")?.dataset.key;
  plot.replaceChildren();
  figure.spots = [];
  if (!shown.length) {
    plot.setAttribute("viewBox", `0 0 ${width} 40`);
    make("text", { x: 0, y: 20 }, plot, "Nothing is chosen above.");
    return;
  }
  const f = frame(chart, width, shown);
  plot.setAttribute("viewBox", `0 0 ${width} ${f.height}`);
  scaffold(plot, chart, f);
  const strip = chart.kind === "strip";
  shown.forEach((series, order) => {
    const style = look(series);
    const group = make("g", { class: `${style.color}${series.behind ? " behind" : ""}${strip ? " strip" : ""}` }, plot);
    if (!strip) make("path", { class: "line", d: pathOf(chart, series.p, f.x, f.y, f.sx, f.sy), "stroke-dasharray": series.behind ? "1 4" : style.dash }, group);
    const many = series.p.length > 20 && !strip; // curves have marks now and then, and points everywhere
    series.p.forEach(([a, b, low, high], at) => {
      // Dots that would lie on one another are spread over their row.
      const jitter = strip ? (((at * 7) % 11) - 5) / 18 : 0;
      const [x, y] = [f.sx(f.x.place(a)), f.sy(f.y.place(b - jitter))];
      const point = make("g", { class: "point", tabindex: -1, role: "img", "aria-label": wording(chart, series, at).replaceAll("\n", "; "), "data-key": `${order} ${at}` }, group);
      if (high > low) make("line", { class: "whisker", x1: x, x2: x, y1: f.sy(f.y.place(low)), y2: f.sy(f.y.place(high)) }, point);
      make("circle", { class: "ring", cx: x, cy: y, r: 7 }, point);
      if (!many || at % 4 === order % 4 || at === series.p.length - 1) shape(style.shape, x, y, strip ? 3.2 : 3.6, { class: `mark${style.open ? " open" : ""}` }, point);
      point.tip = wording(chart, series, at);
      figure.spots.push({ point, x, y, order, at });
    });
  });
  for (const mark of chart.marks || []) {
    if (mark.of.some((each) => hidden.has(each))) continue;
    const [x, y] = [f.sx(f.x.place(mark.x)), f.sy(f.y.place(mark.y))];
    const point = make("g", { class: "point", tabindex: -1, role: "img", "aria-label": mark.text, "data-key": `mark ${mark.text}` }, plot);
    make("circle", { class: mark.minor ? "cross minor" : "cross", cx: x, cy: y, r: mark.minor ? 2.2 : 5.5 }, point);
    make("circle", { class: "ring", cx: x, cy: y, r: 8.5 }, point);
    point.tip = mark.text;
    figure.spots.push({ point, x, y, order: -1, at: x });
  }
  const again = figure.spots.find(({ point }) => point.dataset.key === kept);
  (again || figure.spots[0]).point.setAttribute("tabindex", 0);
  again?.point.focus();
}

function nearest(spots, x, y) {
  const far = (spot) => (spot.x - x) ** 2 + (spot.y - y) ** 2;
  return spots.reduce((best, spot) => (far(spot) < far(best) ? spot : best), spots[0]);
}

function moved(spots, from, key) {
  const same = spots.filter((spot) => spot.order === from.order).sort((one, other) => one.at - other.at);
  if (key === "Home") return same[0];
  if (key === "End") return same.at(-1);
  if (key === "ArrowLeft") return same[same.indexOf(from) - 1];
  if (key === "ArrowRight") return same[same.indexOf(from) + 1];
  // Up and down: of every other series the point that is nearest in x, and of those the next one on that side.
  const orders = [...new Set(spots.map((spot) => spot.order))].filter((order) => order !== from.order);
  const sign = key === "ArrowUp" ? 1 : -1;
  return orders
    .map((order) => spots.filter((spot) => spot.order === order).reduce((a, b) => (Math.abs(b.x - from.x) < Math.abs(a.x - from.x) ? b : a)))
    .filter((spot) => (from.y - spot.y) * sign > 0 || (from.y === spot.y && (spot.order - from.order) * sign > 0))
    .sort((one, other) => Math.abs(from.y - one.y) - Math.abs(from.y - other.y))[0];
}

function listen(figure) {
  // On the figure: browsers let Tab stop at an SVG that listens for focus.
  const { plot } = figure;
  const box = plot.parentElement;
  const clear = () => { for (const each of plot.querySelectorAll(".near")) each.classList.remove("near"); };
  plot.addEventListener("pointermove", (event) => {
    if (!figure.spots.length) return;
    const at = plot.getBoundingClientRect();
    const scale = plot.viewBox.baseVal.width / at.width;
    const spot = nearest(figure.spots, (event.clientX - at.left) * scale, (event.clientY - at.top) * scale);
    clear();
    spot.point.classList.add("near");
    showTip(spot.point, spot.point.tip, at.left + spot.x / scale, at.top + spot.y / scale);
  });
  plot.addEventListener("pointerleave", () => { clear(); hideTip(); });
  plot.addEventListener("click", () => plot.querySelector(".near")?.focus());
  box.addEventListener("focusin", (event) => {
    const spot = figure.spots.find(({ point }) => point === event.target);
    if (!spot) return;
    for (const { point } of figure.spots) point.setAttribute("tabindex", point === spot.point ? 0 : -1);
    showTipAt(spot.point, spot.point.tip);
  });
  box.addEventListener("focusout", hideTip);
  box.addEventListener("keydown", (event) => {
    if (!/^(Arrow(Left|Right|Up|Down)|Home|End)$/.test(event.key)) return;
    event.preventDefault();
    const from = figure.spots.find(({ point }) => point === event.target);
    if (from) moved(figure.spots, from, event.key)?.point.focus();
  });
}

// --- legends, and the page ----------------------------------------------------------------------------

const figures = [];
const buttons = [];
const redraw = () => { for (const figure of figures) draw(figure); };

function choose(change) {
  change();
  for (const { button, at } of buttons) button.setAttribute("aria-pressed", String(!hidden.has(at)));
  redraw();
}

function legend(box, charts) {
  const used = new Set(charts.flatMap((chart) => chart.series.map((series) => series.c)).filter((at) => at !== null));
  if (used.size < 2) return;
  const group = document.createElement("div");
  group.className = "legend";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Contestants shown");
  for (const at of [...used].sort((one, other) => one - other)) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(!hidden.has(at)));
    const sample = make("svg", { class: looks[at].color, viewBox: "0 0 26 12", "aria-hidden": "true" });
    make("path", { d: "M0,6H26", stroke: "var(--c)", "stroke-width": 1.75, "stroke-dasharray": looks[at].dash }, sample);
    shape(looks[at].shape, 13, 6, 3.6, { class: `mark${looks[at].open ? " open" : ""}` }, sample);
    button.append(sample, data.contestants[at].name);
    button.addEventListener("click", () => choose(() => hidden.delete(at) || hidden.add(at)));
    buttons.push({ button, at });
    group.append(button);
  }
  box.append(group);
}

for (const box of document.querySelectorAll("[data-charts]")) {
  const charts = data.charts[box.dataset.charts];
  legend(box, charts);
  for (const chart of charts) {
    const element = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = chart.title;
    if (chart.about) {
      const about = document.createElement("span");
      about.textContent = chart.about;
      caption.append(about);
    }
    const plot = make("svg", { class: "plot", role: "group", "aria-label": `${chart.title}. Arrow keys go from point to point.` });
    element.append(caption, plot);
    box.append(element);
    const figure = { chart, plot, spots: [] };
    figures.push(figure);
    listen(figure);
  }
}
redraw();

let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return; // a phone's bars that come and go
  width = innerWidth;
  requestAnimationFrame(redraw);
});
