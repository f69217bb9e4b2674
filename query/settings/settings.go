// Package settings declares every setting of a query and of a table, each once: name, type, default, bounds and what
// it does. The engine reads settings through the declared variables (settings.MaxThreads.Of(values)); system.settings lists them.
//
// A setting is declared with an effect in declared.go, or accepted without one in accepted.tsv: names that clients
// send, whose value changes nothing in olapd (how ClickHouse's optimizer or cluster works, gates of experimental features). Any other name is
// UnknownSetting, with the names that are near.
package settings

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Setting is one setting as declared.
type Setting struct {
	Name string
	// Type is the name of its type in system.settings: Bool, UInt64, Seconds, String, OverflowMode …
	Type        string
	Default     string
	Description string
	// Min and Max bound a number; empty: unbounded.
	Min, Max string
	// Values are what an enumeration may be; nil: anything of the type.
	Values []string
	// AliasFor is the setting this is another name of.
	AliasFor string
	// NoEffect says that it is accepted and ignored.
	NoEffect bool
	Obsolete bool
	// Tier is Production, Beta or Experimental.
	Tier string
}

// noEffect describes the settings that are accepted and ignored.
const noEffect = "Accepted for compatibility; it changes nothing in olapd."

var (
	byName = map[string]*Setting{}
	listed []*Setting
	once   sync.Once
)

func declare(s *Setting) *Setting {
	if byName[s.Name] != nil {
		panic("settings: " + s.Name + " is declared twice")
	}
	s.Tier = cmp.Or(s.Tier, "Production")
	byName[s.Name] = s
	return s
}

//go:embed accepted.tsv
var acceptedText string

// plain undoes the escapes of TSV that defaults have.
var plain = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t")

// load adds the settings without effect to the declared ones.
func load() {
	for line := range strings.Lines(acceptedText) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) != 5 || byName[f[0]] != nil {
			continue
		}
		declare(&Setting{Name: f[0], Type: f[1], Default: plain.Replace(f[2]), Tier: f[3], AliasFor: f[4], NoEffect: true,
			Obsolete: f[3] == "Obsolete", Description: noEffect})
	}
	for _, s := range byName {
		listed = append(listed, s)
	}
	slices.SortFunc(listed, func(a, b *Setting) int { return strings.Compare(a.Name, b.Name) })
}

// All lists every setting by name.
func All() []*Setting {
	once.Do(load)
	return listed
}

// Lookup returns the setting of a name, or of the name it is an alias for; UnknownSetting names near ones.
func Lookup(name string) (*Setting, error) {
	once.Do(load)
	s := byName[name]
	if s == nil {
		return nil, sqlerr.New(sqlerr.UnknownSetting, "Unknown setting '%s'%s", name, maybe(name, listed))
	}
	if s.AliasFor != "" && byName[s.AliasFor] != nil {
		return byName[s.AliasFor], nil
	}
	return s, nil
}

// maybe proposes names that are at most a few edits away.
func maybe(name string, among []*Setting) string {
	const maxName = 128 // longer names are no slips of the finger
	if len(name) > maxName {
		return ""
	}
	type hit struct {
		name string
		d    int
	}
	var hits []hit
	for _, s := range among {
		if d := distance(name, s.Name); d <= max(1, len(name)/4) {
			hits = append(hits, hit{s.Name, d})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return a.d - b.d })
	if len(hits) == 0 {
		return ""
	}
	names := make([]string, min(2, len(hits)))
	for i := range names {
		names[i] = "'" + hits[i].name + "'"
	}
	return ": Maybe you meant [" + strings.Join(names, ",") + "]"
}

// distance is the number of edits between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := prev
			if a[i] != b[j] {
				d = 1 + min(prev, row[j], row[j+1])
			}
			prev, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
