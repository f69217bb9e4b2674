package settings

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/olapd/olapd/internal/sqlerr"
)

//go:embed mergetree.tsv
var mergeTreeText string

// tableEffects says what the settings of a MergeTree table do that do something in olapd.
var tableEffects = map[string]string{
	"index_granularity":                       "Rows of a granule, which the primary index and skip indexes address.",
	"ttl_only_drop_parts":                     "Drop segments only once all their rows have expired.",
	"non_replicated_deduplication_window":     "Inserts whose tokens are remembered.",
	"replicated_deduplication_window":         "Inserts whose tokens are remembered.",
	"optimize_on_insert":                      "Merge the rows of an insert by the table's engine before they are written.",
	"max_bytes_to_merge_at_max_space_in_pool": "Bytes beyond which segments are not merged with each other.",
}

// ShardingKey is the setting of a table, ours, whose expression decides on which shard a row lies.
const ShardingKey = "sharding_key"

var mergeTree = sync.OnceValue(func() []*Setting {
	out := []*Setting{{Name: ShardingKey, Type: "String", Tier: "Production",
		Description: "Expression whose cityHash64 decides on which shard of a cluster a row lies; empty: rows lie where they are inserted."}}
	for line := range strings.Lines(mergeTreeText) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) != 5 {
			continue
		}
		s := &Setting{Name: f[0], Type: f[1], Default: f[2], Obsolete: f[3] == "1", Tier: f[4], NoEffect: true,
			Description: noEffect}
		if doc, ok := tableEffects[s.Name]; ok {
			s.NoEffect, s.Description = false, doc
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Setting) int { return strings.Compare(a.Name, b.Name) })
	return out
})

// MergeTree lists the settings of tables of the MergeTree family by name.
func MergeTree() []*Setting { return mergeTree() }

// Table checks one setting of a MergeTree table and returns its value as it is kept; UnknownSetting with near names.
func Table(name, value string) (string, error) {
	i, ok := slices.BinarySearchFunc(mergeTree(), name, func(s *Setting, n string) int { return strings.Compare(s.Name, n) })
	if !ok {
		return "", sqlerr.New(sqlerr.UnknownSetting, "Unknown setting '%s': for storage MergeTree%s", name, maybe(name, mergeTree()))
	}
	return mergeTree()[i].normal(value)
}
