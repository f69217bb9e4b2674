// Scales of charts: where a value is drawn, and which round values stand beside the axis.

// linear maps [from, to] to pixels [start, end], with about `want` ticks at round steps.
export function linear(from, to, start, end, want) {
  if (from === to) { from -= Math.abs(from) * 0.1 || 1; to += Math.abs(to) * 0.1 || 1; }
  const rough = (to - from) / Math.max(1, want), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(m => m * power).find(s => s >= rough) || 10 * power;
  const ticks = [];
  for (let t = Math.ceil(from / step) * step; t <= to + step * 1e-9 && ticks.length < 100; t += step) ticks.push(Math.abs(t) < step * 1e-9 ? 0 : t);
  return { at: v => start + (v - from) / (to - from) * (end - start), ticks, from, to };
}

const second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
const steps = [1, 2, 5, 10, 50, 100, 500, second, 2 * second, 5 * second, 10 * second, 30 * second, minute, 2 * minute, 5 * minute, 10 * minute, 30 * minute,
  hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day];

// time is linear over milliseconds, with ticks at round times; the text of a time is that of the server's zone, read as UTC.
export function time(from, to, start, end, want) {
  const s = linear(from, to, start, end, want), rough = (s.to - s.from) / Math.max(1, want);
  const step = steps.find(x => x >= rough);
  s.ticks = [];
  if (step) {
    const base = step >= 7 * day ? 4 * day : 0; // weeks begin on Mondays
    for (let t = Math.ceil((s.from - base) / step) * step + base; t <= s.to && s.ticks.length < 100; t += step) s.ticks.push(t);
  } else {
    const months = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200].find(m => m * 30.4 * day >= rough) || 1200, d = new Date(s.from);
    for (let m = Math.ceil((d.getUTCFullYear() * 12 + d.getUTCMonth()) / months) * months; s.ticks.length < 100; m += months) {
      const t = Date.UTC(Math.floor(m / 12), m % 12, 1);
      if (t > s.to) break;
      if (t >= s.from) s.ticks.push(t);
    }
  }
  s.label = t => timeLabel(t, step || 31 * day);
  return s;
}

function timeLabel(t, step) {
  const iso = new Date(t).toISOString();
  if (step >= 360 * day) return iso.slice(0, 4);
  if (step >= 30 * day) return iso.slice(0, 7);
  if (step >= day || iso.slice(11, 23) === "00:00:00.000") return iso.slice(5, 10);
  if (step >= minute) return iso.slice(11, 16);
  return step >= second ? iso.slice(11, 19) : iso.slice(14, 23);
}

export const parseTime = text => Date.parse(text.length <= 10 ? text + "T00:00:00Z" : text.slice(0, 23).replace(" ", "T") + "Z");
