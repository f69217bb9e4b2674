package surface

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// runs is the verdict of a name that works.
const runs = "runs"

// report counts verdicts by section and tier.
type report map[string]*shares

// shares is the count of one section and tier, and what fails in it.
type shares struct {
	total, run int
	failing    []string // name and verdict
}

func (r report) count(e entry, verdict string) {
	k := e.section + " " + e.tier
	if r[k] == nil {
		r[k] = &shares{}
	}
	s := r[k]
	s.total++
	if verdict == runs {
		s.run++
		return
	}
	s.failing = append(s.failing, fmt.Sprintf("`%s` (%s)", e.name, verdict))
}

// tiers are the columns of the report.
var tiers = []string{"T1", "T2", "T3"}

// summary is the report as Markdown.
func (r report) summary() string {
	var b strings.Builder
	b.WriteString("| What | T1 run | T2 run | T3 run |\n|---|---|---|---|\n")
	sums := make([]shares, len(tiers))
	for _, s := range sections {
		fmt.Fprintf(&b, "| %s |", s.title)
		for i, tier := range tiers {
			n := r[s.file+" "+tier]
			if n == nil {
				b.WriteString(" – |")
				continue
			}
			sums[i].total, sums[i].run = sums[i].total+n.total, sums[i].run+n.run
			fmt.Fprintf(&b, " %d of %d |", n.run, n.total)
		}
		b.WriteByte('\n')
	}
	b.WriteString("| All |")
	for _, n := range sums {
		fmt.Fprintf(&b, " %d of %d (%.1f %%) |", n.run, n.total, 100*float64(n.run)/float64(max(n.total, 1)))
	}
	b.WriteByte('\n')
	for _, s := range sections {
		for _, tier := range tiers {
			if n := r[s.file+" "+tier]; n != nil && len(n.failing) > 0 {
				fmt.Fprintf(&b, "\n%s, %s, not yet: %s.\n", s.title, tier, strings.Join(n.failing, ", "))
			}
		}
	}
	return b.String()
}

// lost returns what fails without the document saying so.
func (r report) lost(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, s := range r {
		for _, f := range s.failing {
			name, _, _ := strings.Cut(f, " (")
			if !strings.Contains(string(text), name) {
				out = append(out, f)
			}
		}
	}
	slices.Sort(out)
	return out
}

const namesHead = "Every name that practitioners use is called with real arguments, and runs if the answer is ClickHouse's: T1 is what must work,\n" +
	"T2 what is expected soon after, T3 what is nice to have. `make surface` writes this.\n\n"

func (r report) write(path string) error {
	return replaceSection(path, "surface", namesHead+r.summary())
}

// variantScore counts what became of the variants.
type variantScore struct{ agreed, refused, otherCode, accepted, differed int }

// String is the score in a sentence.
func (n *variantScore) String() string {
	total := n.agreed + n.refused + n.otherCode + n.accepted + n.differed
	return fmt.Sprintf("Of %d statements, %d answer as ClickHouse does, data or error code; %d are refused by both with other codes, %d as not supported (48), "+
		"%d differ with a reason given, %d without.", total, n.agreed, n.otherCode, n.refused, n.accepted, n.differed)
}

func (n *variantScore) write(path string) error {
	return replaceSection(path, "variants", "Each function is also called with NULL, empty and extreme values, other types, columns, and wrong counts of arguments.\n"+n.String()+"\n")
}

// replaceSection puts text between the marks of a section of a document.
func replaceSection(path, section, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("surface: %w", err)
	}
	from, to := "<!-- "+section+": written by make surface -->\n", "<!-- end of "+section+" -->"
	i, j := strings.Index(string(old), from), strings.Index(string(old), to)
	if i < 0 || j < i {
		return fmt.Errorf("surface: %s has no section %s", path, section)
	}
	if err := os.WriteFile(path, []byte(string(old[:i])+from+text+string(old[j:])), 0o644); err != nil {
		return fmt.Errorf("surface: %w", err)
	}
	return nil
}
