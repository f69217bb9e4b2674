# Writes the section of docs/compatibility.md on clients: section.py FILE RESULTS GO_RESULTS GO_REASONS.
import collections, os, sys

path, results, go_results, reasons = sys.argv[1:]
begin, end = "<!-- clients: written by make test-clients -->\n", "<!-- end of clients -->\n"


def table(name):
    if not os.path.exists(name):
        return []
    with open(name) as f:
        return [line.rstrip("\n").split("\t") for line in f if line.strip()]


lines = [begin, "Each client is installed and run against a server of its own; `make test-clients` writes this.\n\n", "| Client | Version | Result |\n|---|---|---|\n"]
lines += ["| %s | %s | %s |\n" % tuple(row) for row in table(results)]
tests = table(go_results)
if tests:
    passed = sum(r == "PASS" for _, r in tests)
    skipped = ["`%s`" % n for n, r in tests if r == "SKIP"]
    failing = {n for n, r in tests if r == "FAIL"}
    lines.append("\nOf clickhouse-go's own %d tests **%d pass**, %d fail and %d skip themselves (%s)%s\n" % (
        len(tests), passed, len(failing), len(skipped), ", ".join(sorted(skipped)), ":\n" if failing else "."))
    why = collections.defaultdict(list)
    known = dict(table(reasons))
    for n in sorted(failing):
        why[known.get(n, "not explained")].append("`%s`" % n)
    for reason, names in sorted(why.items(), key=lambda x: (-len(x[1]), x[0])):
        lines.append("- %s (%d): %s\n" % (reason, len(names), ", ".join(names)))
lines.append(end)
with open(path) as f:
    text = f.read()
if begin in text:
    text = text[:text.index(begin)] + "".join(lines) + text[text.index(end) + len(end):]
else:
    text = text.rstrip("\n") + "\n\n## Clients\n\n" + "".join(lines)
with open(path, "w") as f:
    f.write(text)
