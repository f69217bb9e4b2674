// SQL as tokens: enough to colour it, to find the statement under the cursor, and to know what may come next.

const pattern = new RegExp([
  "(?<comment>--[^\\n]*|#!?[ ][^\\n]*|/\\*[\\s\\S]*?(?:\\*/|$))",
  "(?<string>'(?:[^'\\\\]|\\\\[\\s\\S]|'')*(?:'|$)|\\$(?<tag>\\w*)\\$[\\s\\S]*?(?:\\$\\k<tag>\\$|$))",
  "(?<quoted>`(?:[^`\\\\]|\\\\[\\s\\S])*(?:`|$)|\"(?:[^\"\\\\]|\\\\[\\s\\S])*(?:\"|$))",
  "(?<number>(?:0x[\\da-f]+|0b[01]+|\\d[\\d_]*(?:\\.\\d*)?(?:e[+-]?\\d+)?|\\.\\d+(?:e[+-]?\\d+)?)(?!\\w))",
  "(?<word>[\\p{L}_][\\p{L}\\p{N}_]*)",
  "(?<param>\\{\\s*\\w+\\s*:[^}]*\\})",
  "(?<space>\\s+)",
  "(?<op>::|->|[<>!=]=|<>|\\|\\||[\\s\\S])",
].join("|"), "giuy");

// tokens cuts text into {kind, text, start, end}, whole and in order.
export function tokens(text) {
  const out = [];
  pattern.lastIndex = 0;
  for (let m; pattern.lastIndex < text.length && (m = pattern.exec(text));) {
    const g = m.groups;
    const kind = g.comment !== undefined ? "comment" : g.string !== undefined ? "string" : g.quoted !== undefined ? "quoted" : g.number !== undefined ? "number"
      : g.word !== undefined ? "word" : g.param !== undefined ? "param" : g.space !== undefined ? "space" : "op";
    out.push({ kind, text: m[0], start: m.index, end: m.index + m[0].length });
  }
  return out;
}

// statements are the {start, end, text} between semicolons, without those that are only space and comments.
export function statements(text) {
  const out = [];
  let first = -1, last = -1;
  const close = () => { if (first >= 0) out.push({ start: first, end: last, text: text.slice(first, last) }); first = -1; };
  for (const t of tokens(text)) {
    if (t.kind === "space" || t.kind === "comment") continue;
    if (t.text === ";") { close(); continue; }
    if (first < 0) first = t.start;
    last = t.end;
  }
  close();
  return out;
}

// statementAt is the one that the cursor is in or behind, else the next one.
export function statementAt(text, at) {
  const all = statements(text);
  return all.findLast(s => s.start <= at) || all[0] || null;
}

// byteOffset tells where the byte of an error is in the text that JavaScript has.
export function byteOffset(text, byte) {
  const bytes = new TextEncoder().encode(text);
  return new TextDecoder().decode(bytes.subarray(0, Math.max(0, byte))).length;
}
