// What the browser keeps between visits: history, settings, looks. Never a password.

const prefix = "olapd.", longest = 200, largest = 20000; // statements kept; characters of one

export function load(name, otherwise) {
  try {
    const v = localStorage.getItem(prefix + name);
    return v === null ? otherwise : JSON.parse(v);
  } catch {
    return otherwise; // blocked, or written by something else
  }
}

export function save(name, value) {
  try { localStorage.setItem(prefix + name, JSON.stringify(value)); } catch { /* full or blocked: nothing is kept */ }
}

// secret tells whether a statement may name a password: such a one is not kept, nor put into the address.
export const secret = sql => /\bIDENTIFIED\b|\bpassword\b|secret_access_key|\bS3\s*\(/i.test(sql);

// remember puts a statement that ran in front of the history, once.
export function remember(entry) {
  if (entry.sql.length > largest || secret(entry.sql)) return;
  save("history", [entry, ...load("history", []).filter(h => h.sql !== entry.sql)].slice(0, longest));
}
