// Numbers in words, and the axes of charts.

// --- numbers, as `summary.words` writes them -------------------------------------------------------

function digits(value) {
  if (value === 0) return "0";
  const places = 2 - Math.floor(Math.log10(Math.abs(Number(value.toPrecision(3)))));
  const fixed = Math.min(20, Math.max(0, places));
  return value.toLocaleString("en", { minimumFractionDigits: fixed, maximumFractionDigits: fixed });
}
const trimmed = (value) => Number(value.toPrecision(6)).toLocaleString("en", { maximumFractionDigits: 6 });
const duration = (ns, write = digits) => {
  const [unit, name] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]].find(([least]) => ns >= least) || [1, "ns"];
  return `${write(ns / unit)} ${name}`;
};
const UNITS = {
  rate: { tick: (v) => trimmed(v / 1e6), text: (v) => digits(v / 1e6), name: " million per second" },
  ns: { tick: (v) => duration(v, trimmed), text: (v) => duration(v), name: "" },
  ratio: { tick: trimmed, text: (v) => v.toFixed(2), name: "×" },
  plain: { tick: trimmed, text: digits, name: "" },
};

// --- axes: each maps values to 0..1 and knows its ticks ---------------------------------------------

function linear(low, high) {
  const raw = (high - low) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= raw) * power;
  const top = Math.ceil(high / step - 1e-9) * step;
  const ticks = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= top + step / 1e6; at++) ticks.push(at * step);
  return { place: (v) => (v - low) / (top - low || 1), ticks };
}

function log(low, high) {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const [first, last] = to - from > 0.9 ? [Math.floor(from), Math.ceil(to)] : [from - 0.05, to + 0.05];
  const ticks = [];
  const span = last - first;
  const steps = span > 2.5 ? [1] : span > 0.9 ? [1, 2, 5] : span > 0.4 ? [1, 1.5, 2, 3, 5, 7] : [1, 1.1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9];
  for (let power = Math.floor(first); power <= last; power++) {
    for (const step of steps) {
      const value = step * 10 ** power;
      if (Math.log10(value) >= first - 1e-9 && Math.log10(value) <= last + 1e-9) ticks.push(value);
    }
  }
  const dense = last - first > 7 ? ticks.filter((_, at) => at % 2 === 0) : ticks;
  return { place: (v) => (Math.log10(v) - first) / (last - first), ticks: dense };
}

function axis(given, values) {
  const unit = UNITS[given.unit] || UNITS.plain;
  if (given.kind === "ordinal") {
    const known = given.ticks.map(([value]) => value);
    const place = (v) => {
      const after = known.findIndex((each) => each >= v);
      if (after < 0) return 1 - 0.5 / known.length;
      const part = after === 0 ? 0 : 1 - (known[after] - v) / (known[after] - known[after - 1]);
      return ((after === 0 ? 0 : after - 1 + part) + 0.5) / known.length;
    };
    return { place, ticks: given.ticks };
  }
  if (given.kind === "nines") {
    const nines = (v) => -Math.log10(1 - v);
    const first = nines(0.5);
    const most = Math.max(1, ...values.map(nines));
    const ticks = [[0.5, "50 %"]];
    for (let count = 1; count <= most; count++) ticks.push([1 - 10 ** -count, `${100 - 10 ** (2 - count)} %`]);
    return { place: (v) => (nines(v) - first) / (most - first), ticks: ticks.map(([v, name]) => [v, name.replace(/(\.9*)0+\d* %/, "$1 %")]) };
  }
  const low = Math.min(...values, given.through ?? Infinity);
  const high = Math.max(...values, given.through ?? -Infinity);
  const made = given.kind === "log" ? log(low, high) : linear(given.from ?? 0, given.to ?? high);
  const ticks = given.ticks || made.ticks.map((value) => [value, unit.tick(value)]);
  return { place: made.place, ticks };
}

