package node

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
)

// adoptable are tables whose segments are taken over as they are, and rewritten tables such that are not.
var (
	adoptable = map[string][]string{
		"plain": {"CREATE TABLE shop.plain (day Date, a UInt64, s String, INDEX i s TYPE bloom_filter GRANULARITY 2) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY (a, s)",
			"INSERT INTO shop.plain SELECT toDate('2026-01-01') + number % 60, cityHash64(number), hex(cityHash64(number)) FROM numbers(40000)"},
		"expires": {"CREATE TABLE shop.expires (at DateTime, s String) ENGINE = MergeTree ORDER BY at TTL at + INTERVAL 50 YEAR",
			"INSERT INTO shop.expires SELECT toDateTime('2026-01-01') + number, hex(cityHash64(number)) FROM numbers(40000)"},
		"newest": {"CREATE TABLE shop.newest (k UInt64, s String) ENGINE = ReplacingMergeTree ORDER BY k",
			"SYSTEM STOP MERGES shop.newest",
			"INSERT INTO shop.newest SELECT number, concat('old', hex(cityHash64(number))) FROM numbers(20000)", "SYSTEM FLUSH TABLE shop.newest",
			"INSERT INTO shop.newest SELECT number * 2, concat('new', hex(cityHash64(number))) FROM numbers(10000)"},
	}
	rewritten = map[string][]string{
		"wider": {"CREATE TABLE shop.wider (a UInt64, s String) ENGINE = MergeTree ORDER BY a",
			"INSERT INTO shop.wider SELECT cityHash64(number), hex(cityHash64(number)) FROM numbers(40000)", "SYSTEM FLUSH TABLE shop.wider",
			"ALTER TABLE shop.wider ADD COLUMN l UInt64 DEFAULT length(s)"},
		"renamed": {"CREATE TABLE shop.renamed (a UInt64, s String) ENGINE = MergeTree ORDER BY a",
			"INSERT INTO shop.renamed SELECT cityHash64(number), hex(cityHash64(number)) FROM numbers(40000)",
			"ALTER TABLE shop.renamed RENAME COLUMN s TO t"},
	}
)

// hashes are those of a table's segments at a node's replicas.
func hashes(t *testing.T, n *Node, table string) []string {
	t.Helper()
	must(t, n, "SYSTEM FLUSH TABLE "+table)
	db, name, _ := strings.Cut(table, ".")
	return strings.Fields(must(t, n, fmt.Sprintf("SELECT hash_of_all_files FROM system.parts WHERE database = '%s' AND table = '%s' ORDER BY 1", db, name)))
}

// restoresOf makes the tables, backs them up, restores them under another name, compares the rows, and says which have the same files.
func restoresOf(t *testing.T, n *Node, tables map[string][]string) (same []string) {
	t.Helper()
	for name, sqls := range tables {
		for _, sql := range append(sqls, "SYSTEM STOP MERGES shop."+name, "SYSTEM FLUSH TABLE shop."+name) {
			must(t, n, sql)
		}
		must(t, n, fmt.Sprintf("BACKUP TABLE shop.%s TO File('%s')", name, name))
		must(t, n, fmt.Sprintf("RESTORE TABLE shop.%s AS shop.%s_again FROM File('%s')", name, name, name))
		for _, final := range []string{"", " FINAL"} {
			if final != "" && name != "newest" {
				continue
			}
			sql := "SELECT count(), sum(cityHash64(*)) FROM shop.%s" + final
			want, got := must(t, n, fmt.Sprintf(sql, name)), ""
			for end := time.Now().Add(20 * time.Second); got != want && time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // until this replica has them
				got = must(t, n, fmt.Sprintf(sql, name+"_again"))
			}
			if got != want {
				t.Errorf("%s%s restored has %s, not %s", name, final, got, want)
			}
		}
		if was := hashes(t, n, "shop."+name); len(was) > 0 && slices.Equal(was, hashes(t, n, "shop."+name+"_again")) {
			same = append(same, name)
		}
	}
	slices.Sort(same)
	return same
}

// TestRestoreAdopts: files of a backup that are what the table writes are taken over, others are read and written anew.
func TestRestoreAdopts(t *testing.T) {
	s := newSeveral(t, 1, 1, 1)
	n := s.nodes["node-1"]
	must(t, n, "CREATE DATABASE shop")
	if got := fmt.Sprint(restoresOf(t, n, adoptable)); got != "[expires newest plain]" {
		t.Errorf("%s have kept their files", got)
	}
	if got := restoresOf(t, n, rewritten); len(got) > 0 {
		t.Errorf("%s have files that are not of their tables' form", got)
	}
	must(t, n, "OPTIMIZE TABLE shop.newest_again FINAL")
	if got := must(t, n, "SELECT countIf(s LIKE 'new%'), count() FROM shop.newest_again"); strings.TrimSpace(got) != "10000\t20000" {
		t.Errorf("after a merge: %s", got)
	}
}

// TestRestoreAdoptsElsewhere: the node that has the backup sends the files to the shards' leaders, which stage them.
func TestRestoreAdoptsElsewhere(t *testing.T) {
	s := newSeveral(t, 3, 2, 3)
	var n *Node
	for _, x := range s.nodes { // two shards have two leaders at most
		if x.shards.led(1) == nil && x.shards.led(2) == nil {
			n = x
		}
	}
	must(t, n, "CREATE DATABASE shop")
	if got := fmt.Sprint(restoresOf(t, n, map[string][]string{"plain": adoptable["plain"]})); got != "[plain]" {
		t.Errorf("%s have kept their files", got)
	}
	s.everywhere("SELECT count(), sum(cityHash64(*)) FROM shop.plain_again", must(t, n, "SELECT count(), sum(cityHash64(*)) FROM shop.plain"))
}

// TestRestoreAtOldLevel: while nodes are of builds that do not take over files, the rows are written anew.
func TestRestoreAtOldLevel(t *testing.T) {
	s := severalWith(t, func(c *Config) { c.levelsBehind = int(feature.Current-feature.AdoptSegments.Since()) + 1 }, 2, 1, 1)
	n := s.nodes["node-1"]
	must(t, n, "CREATE DATABASE shop")
	if got := restoresOf(t, n, map[string][]string{"plain": adoptable["plain"]}); len(got) > 0 {
		t.Errorf("%s have kept their files", got)
	}
}

// TestAdoptDamaged: nothing is left of a file that is not what the backup says.
func TestAdoptDamaged(t *testing.T) {
	s := newSeveral(t, 1, 1, 1)
	n := s.nodes["node-1"]
	must(t, n, "CREATE DATABASE shop")
	restoresOf(t, n, map[string][]string{"plain": adoptable["plain"]})
	store := n.cluster.Shard(1).Store()
	var id catalog.TableID
	for _, c := range n.cluster.Meta().Catalog().Tables("shop") {
		if c.Name == "plain" {
			id = c.ID
		}
	}
	files := func() []string {
		names, err := s.disks["node-1"].List("/data/" + storeDir + "/segments-1")
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	before := files()
	snap := store.Snapshot()
	defer snap.Close()
	seg := snap.Table(id).Segments()[0].Segment
	data, err := vfs.ReadFile(s.disks["node-1"], "/data/"+storeDir+"/segments-1/"+seg.ID+".seg")
	if err != nil {
		t.Fatal(err)
	}
	for what, damage := range map[string]func(*mergetree.Segment, []byte) []byte{
		"a byte of a page":     func(_ *mergetree.Segment, b []byte) []byte { b[len(b)/3] ^= 1; return b },
		"a byte of the footer": func(_ *mergetree.Segment, b []byte) []byte { b[len(b)-100] ^= 1; return b },
		"the end":              func(_ *mergetree.Segment, b []byte) []byte { return b[:len(b)-9] },
		"nothing":              func(_ *mergetree.Segment, b []byte) []byte { return nil },
		"another hash":         func(s *mergetree.Segment, b []byte) []byte { s.Hash[3]++; return b },
		"more rows":            func(s *mergetree.Segment, b []byte) []byte { s.Rows++; return b },
	} {
		as, b := seg, slices.Clone(data)
		b = damage(&as, b)
		if _, ok, err := store.Adopt(t.Context(), id, as, writing(b)); err == nil || ok || sqlerr.CodeOf(err) == sqlerr.LogicalError {
			t.Errorf("%s: %t, %v", what, ok, err)
		}
	}
	as := seg
	as.Partition = "202607"
	if _, ok, err := store.Adopt(t.Context(), id, as, writing(data)); ok || err != nil {
		t.Errorf("another partition: %t, %v", ok, err)
	}
	if after := files(); !slices.Equal(before, after) {
		t.Errorf("files %q, were %q", after, before)
	}
	got, ok, err := store.Adopt(t.Context(), id, seg, writing(data))
	if err != nil || !ok || got.Rows != seg.Rows || got.Level != seg.Level || got.RawBytes != seg.RawBytes || got.First != 0 {
		t.Errorf("%+v of %+v, %t, %v", got, seg, ok, err)
	}
	store.Discard([]mergetree.Segment{got})
}

// writing returns what writes bytes.
func writing(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}
