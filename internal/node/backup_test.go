package node

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// backupTables is a base, what is made of it, and tables of other kinds; some rows are in segments, some in memory.
var backupTables = []string{
	"CREATE DATABASE shop",
	"CREATE TABLE shop.sales (day Date, product LowCardinality(String), amount Decimal(12, 2), tags Array(String), note Nullable(String)) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY (product, day)",
	"CREATE MATERIALIZED VIEW shop.daily ENGINE = AggregatingMergeTree ORDER BY day AS SELECT day, sumState(amount) AS total, uniqState(product) AS products FROM shop.sales GROUP BY day",
	"CREATE TABLE shop.totals (product String, n UInt64) ENGINE = SummingMergeTree ORDER BY product",
	"CREATE MATERIALIZED VIEW shop.to_totals TO shop.totals AS SELECT product, count() AS n FROM shop.sales GROUP BY product",
	"CREATE VIEW shop.best AS SELECT product, sum(amount) AS s FROM shop.sales GROUP BY product ORDER BY s DESC LIMIT 3",
	"CREATE TABLE shop.people (id UInt64, name String, v UInt32) ENGINE = ReplacingMergeTree(v) ORDER BY id",
	"CREATE TABLE shop.nothing (a Int8) ENGINE = MergeTree ORDER BY a",
	"INSERT INTO shop.sales SELECT toDate('2026-01-01') + number % 60, concat('p', toString(number % 7)), number / 4, [toString(number % 3)], if(number % 5 = 0, NULL, 'n') FROM numbers(5000)",
	"SYSTEM FLUSH TABLE shop.sales",
	"ALTER TABLE shop.sales ADD COLUMN place String DEFAULT concat('of ', product)",
	"INSERT INTO shop.sales SELECT toDate('2026-03-01'), 'late', 1, [], NULL, 'here' FROM numbers(10)",
	"INSERT INTO shop.people SELECT number, concat('old', toString(number)), 1 FROM numbers(100)",
	"SYSTEM FLUSH TABLE shop.people",
	"INSERT INTO shop.people SELECT number, concat('new', toString(number)), 2 FROM numbers(50)",
}

// backupQueries tell whether the tables of a database are those of another.
var backupQueries = []string{
	"SELECT count(), sum(cityHash64(day, product, amount, tags, note, place)) FROM %s.sales",
	"SELECT count(), sum(s), sum(p) FROM (SELECT day, toFloat64(sumMerge(total)) AS s, uniqMerge(products) AS p FROM %s.daily GROUP BY day)",
	"SELECT product, sum(n) FROM %s.totals GROUP BY product ORDER BY product",
	"SELECT * FROM %s.best",
	"SELECT count(), sum(cityHash64(id, name, v)) FROM %s.people FINAL",
	"SELECT count() FROM %s.nothing",
}

func answers(t *testing.T, n *Node, db string) []string {
	t.Helper()
	var out []string
	for _, q := range backupQueries {
		out = append(out, must(t, n, fmt.Sprintf(q, db)))
	}
	return out
}

func refused(t *testing.T, n *Node, code sqlerr.Code, sql string) {
	t.Helper()
	if out, err := run(t, n, sql); !sqlerr.Is(err, code) {
		t.Errorf("%s: %q, %v; want code %d", sql, out, err, code)
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: %s: got %q, want %q", what, backupQueries[i], got[i], want[i])
		}
	}
}

func TestBackup(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(backend).Server())
	defer srv.Close()
	fs := vfs.NewMem()
	cfg := DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.FS, cfg.Memory, cfg.S3Hosts = "/data", "", fs, 1<<30, []string{strings.TrimPrefix(srv.URL, "http://")}
	cfg.Logger = slog.New(slog.DiscardHandler)
	n, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, q := range backupTables {
		must(t, n, q)
	}
	want := answers(t, n, "shop")
	for name, place := range map[string]string{"folder": "File('%s')", "disk": "Disk('backups', 'd/%s')", "s3": "S3('" + srv.URL + "/bucket/%s', 'key', 'secret')"} {
		t.Run(name, func(t *testing.T) {
			full, next := fmt.Sprintf(place, "full"), fmt.Sprintf(place, "next")
			if out := must(t, n, "BACKUP DATABASE shop TO "+full); !strings.HasSuffix(strings.TrimSpace(out), "BACKUP_CREATED") {
				t.Errorf("BACKUP says %q", out)
			}
			refused(t, n, sqlerr.BackupAlreadyExists, "BACKUP DATABASE shop TO "+full)
			must(t, n, "RESTORE DATABASE shop AS copy FROM "+full)
			same(t, "under another name", answers(t, n, "copy"), want)
			refused(t, n, sqlerr.CannotRestoreTable, "RESTORE DATABASE shop AS copy FROM "+full)
			must(t, n, "INSERT INTO copy.sales SELECT toDate('2026-04-01'), 'more', 1, [], NULL, '' FROM numbers(5)")
			later := answers(t, n, "copy")
			must(t, n, "BACKUP DATABASE copy TO "+next+" SETTINGS base_backup = "+full)
			must(t, n, "DROP DATABASE copy")
			must(t, n, "RESTORE ALL FROM "+next)
			same(t, "incremental", answers(t, n, "copy"), later)
			must(t, n, "DROP DATABASE copy")
			refused(t, n, sqlerr.BackupEntryNotFound, "RESTORE TABLE shop.nope FROM "+full)
			refused(t, n, sqlerr.BackupNotFound, "RESTORE TABLE shop.sales FROM "+fmt.Sprintf(place, "nope"))
			must(t, n, "RESTORE TABLE shop.people AS shop.persons FROM "+full+" SETTINGS structure_only = true")
			if got := must(t, n, "SELECT count() FROM shop.persons"); strings.TrimSpace(got) != "0" {
				t.Errorf("structure_only: %q rows", got)
			}
			must(t, n, "DROP TABLE shop.persons")
		})
	}
	t.Run("async", func(t *testing.T) { backupAsync(t, n) })
	t.Run("errors", func(t *testing.T) {
		refused(t, n, sqlerr.UnknownTable, "BACKUP TABLE shop.nope TO File('x')")
		refused(t, n, sqlerr.UnknownDatabase, "BACKUP DATABASE nope TO File('x')")
		refused(t, n, sqlerr.UnknownSetting, "BACKUP TABLE shop.people TO File('x') SETTINGS nosuch = 1")
		refused(t, n, sqlerr.BadArguments, "BACKUP TABLE shop.people TO File('../x')")
		refused(t, n, sqlerr.BackupEngineNotFound, "BACKUP TABLE shop.people TO Nope('x')")
		refused(t, n, sqlerr.UnacceptableURL, "BACKUP TABLE shop.people TO S3('http://127.0.0.1:1/b/x', 'k', 's')")
		must(t, n, "CREATE TABLE shop.other (x String) ENGINE = MergeTree ORDER BY x")
		refused(t, n, sqlerr.CannotRestoreTable, "RESTORE TABLE shop.people AS shop.other FROM File('full')")
	})
	t.Run("damage", func(t *testing.T) {
		dir := "/data/backups/full/segments"
		names, err := fs.List(dir)
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			b, err := vfs.ReadFile(fs, filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			if err := vfs.WriteFileAtomic(fs, filepath.Join(dir, name), b); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, n, sqlerr.BackupDamaged, "RESTORE TABLE shop.people AS shop.damaged FROM File('full')")
		if got := must(t, n, "SELECT count() FROM shop.damaged"); strings.TrimSpace(got) != "0" {
			t.Errorf("%q rows of a damaged backup", got)
		}
	})
	if got := must(t, n, "SELECT status, count() > 2, min(end_time >= start_time), sum(total_size + bytes_read) > 1000 FROM system.backups WHERE name = 'File(\\'full\\')' GROUP BY status ORDER BY status"); got !=
		"BACKUP_CREATED\t0\t1\t1\nBACKUP_FAILED\t0\t1\t0\nRESTORED\t0\t1\t1\nRESTORE_FAILED\t1\t1\t0\n" {
		t.Errorf("system.backups: %q", got)
	}
	if got := must(t, n, "SELECT count() FROM system.backups WHERE name LIKE '%secret%' OR base_backup_name LIKE '%secret%'"); got != "0\n" {
		t.Errorf("%s entries show keys", got)
	}
	if got := must(t, n, "SELECT count() FROM system.query_log WHERE query LIKE 'BACKUP%secret%' OR query LIKE 'RESTORE%secret%'"); got != "0\n" {
		t.Errorf("%s queries show keys", got)
	}
	same(t, "the original", answers(t, n, "shop"), want)
	if names, err := fs.List("/data/scratch"); err != nil || len(names) > 0 {
		t.Errorf("left behind: %q %v", names, err)
	}
	t.Run("full disk", func(t *testing.T) {
		u, err := fs.Usage("/data")
		if err != nil {
			t.Fatal(err)
		}
		fs.SetCapacity(int64(u.Total-u.Free) + 20_000)
		defer fs.SetCapacity(1 << 40)
		refused(t, n, sqlerr.NotEnoughSpace, "BACKUP DATABASE shop TO File('large')")
		if _, err := fs.List("/data/backups/large"); !vfs.IsNotExist(err) {
			t.Errorf("the backup has left files: %v", err)
		}
		same(t, "on a full disk", answers(t, n, "shop"), want)
	})
	must(t, n, "BACKUP DATABASE shop TO File('large')")
}

// TestBackupOverShards restores a backup of two shards on three, and on one.
func TestBackupOverShards(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(backend).Server())
	defer srv.Close()
	place := "S3('" + srv.URL + "/bucket/b', 'key', 'secret')"
	allow := func(c *Config) { c.S3Hosts = []string{strings.TrimPrefix(srv.URL, "http://")} }
	keyed := []string{
		"CREATE TABLE shop.keyed (id UInt64, s String) ENGINE = MergeTree ORDER BY id SETTINGS sharding_key = 'id'",
		"INSERT INTO shop.keyed SELECT number, toString(number) FROM numbers(3000)",
	}
	const keyedSum = "SELECT count(), sum(cityHash64(id, s)), uniqExact(id) FROM shop.keyed"
	from := severalWith(t, allow, 2, 2, 1)
	for _, q := range append(append([]string{}, backupTables...), keyed...) {
		must(t, from.nodes["node-1"], q)
	}
	want, sum := answers(t, from.nodes["node-1"], "shop"), must(t, from.nodes["node-1"], keyedSum)
	must(t, from.nodes["node-2"], "BACKUP DATABASE shop TO "+place)
	from.close()
	for _, shape := range [][3]int{{1, 3, 1}, {2, 1, 2}} {
		to := severalWith(t, allow, shape[0], shape[1], shape[2])
		n := to.nodes["node-1"]
		must(t, n, "RESTORE DATABASE shop FROM "+place)
		same(t, fmt.Sprint(shape), answers(t, n, "shop"), want)
		if got := must(t, n, keyedSum); got != sum {
			t.Errorf("%v: %s, want %s", shape, got, sum)
		}
		if got := must(t, n, "SELECT count() FROM shop.keyed WHERE id = 17"); strings.TrimSpace(got) != "1" {
			t.Errorf("%v: rows of one key: %s", shape, got)
		}
		to.close()
	}
}

// severalWith is newSeveral with other settings.
func severalWith(t *testing.T, tune func(*Config), nodes, shards, replicas int) *several {
	t.Helper()
	s := &several{t: t, net: rpc.NewMemory(clock.Real(), 1), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}, tune: tune}
	t.Cleanup(s.close)
	s.found(nodes, shards, replicas)
	return s
}

// TestBackupRights lets a user without rights, and one with rights on other tables, try.
func TestBackupRights(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	for _, q := range []string{
		"CREATE DATABASE own", "CREATE DATABASE foreign", "CREATE TABLE foreign.t (a Int32) ENGINE = MergeTree ORDER BY a", "INSERT INTO foreign.t VALUES (42)",
		"CREATE USER nobody", "CREATE USER owner", "GRANT ALL ON own.* TO owner", "BACKUP DATABASE foreign TO File('b')",
	} {
		must(t, n, q)
	}
	for _, user := range []string{"nobody", "owner"} {
		for _, q := range []string{
			"BACKUP TABLE foreign.t TO File('x')", "BACKUP DATABASE foreign TO File('x')", "BACKUP ALL TO File('x')", "BACKUP TABLE own.t TO S3('http://x/b/c', 'k', 's')",
			"RESTORE TABLE foreign.t AS own.t FROM File('b')", "RESTORE TABLE foreign.t AS foreign.u FROM File('b')", "RESTORE ALL FROM File('b')", "RESTORE DATABASE foreign AS own FROM File('b')",
		} {
			if got := as(t, n, user, q); !strings.Contains(got, "Not enough privileges") {
				t.Errorf("%s: %s: %s", user, q, got)
			}
		}
	}
	must(t, n, "GRANT BACKUP ON foreign.t TO owner")
	if got := as(t, n, "owner", "RESTORE TABLE foreign.t AS own.t FROM File('b') FORMAT Null"); got != "" {
		t.Error(got)
	}
	expect(t, n, "SELECT * FROM own.t", "42\n")
}

// TestBackupOfDamage flips a bit of a segment: the backup fails, and leaves nothing.
func TestBackupOfDamage(t *testing.T) {
	fs := vfs.NewMem()
	n := open(t, fs)
	defer n.Close()
	must(t, n, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	must(t, n, "INSERT INTO t SELECT cityHash64(number) % 1000000007 FROM numbers(100000)")
	must(t, n, "SYSTEM FLUSH TABLE t")
	want := must(t, n, "SELECT count(), sum(a) FROM t")
	must(t, n, "BACKUP TABLE t TO File('good')")
	names, err := fs.List("/data/store/segments-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".seg") {
			continue
		}
		f, err := fs.OpenReadWrite(filepath.Join("/data/store/segments-1", name))
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1)
		if _, err := f.ReadAt(b, 1000); err != nil {
			t.Fatal(err)
		}
		b[0] ^= 1
		if _, err := f.WriteAt(b, 1000); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, n, sqlerr.ChecksumDoesntMatch, "BACKUP TABLE t TO File('bad')")
	if names, err := fs.List("/data/backups"); err != nil || len(names) != 1 {
		t.Errorf("%q %v", names, err)
	}
	must(t, n, "RESTORE TABLE t AS u FROM File('good')")
	expect(t, n, "SELECT count(), sum(a) FROM u", want)
}

// backupAsync: the statement returns at once, and system.backups tells how it ends, good or bad.
func backupAsync(t *testing.T, n *Node) {
	ends := func(id, want string) {
		t.Helper()
		got := ""
		for range 500 {
			if got = must(t, n, "SELECT status, error != '', end_time != toDateTime64(0, 6), query_id != '' FROM system.backups WHERE id = '"+id+"'"); !strings.Contains(got, "ING") {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if got != want {
			t.Errorf("%s ends as %q, want %q", id, got, want)
		}
	}
	if got := must(t, n, "BACKUP DATABASE shop TO File('later') SETTINGS id = 'b1' ASYNC"); got != "b1\tCREATING_BACKUP\n" {
		t.Errorf("BACKUP ASYNC says %q", got)
	}
	ends("b1", "BACKUP_CREATED\t0\t1\t1\n")
	if got := must(t, n, "RESTORE DATABASE shop AS copy FROM File('later') SETTINGS async = 1, id = 'r1'"); got != "r1\tRESTORING\n" {
		t.Errorf("RESTORE ASYNC says %q", got)
	}
	ends("r1", "RESTORED\t0\t1\t1\n")
	same(t, "restored behind its statement", answers(t, n, "copy"), answers(t, n, "shop"))
	must(t, n, "DROP DATABASE copy")
	must(t, n, "BACKUP DATABASE shop TO File('later') SETTINGS id = 'b2' ASYNC") // it is there
	ends("b2", "BACKUP_FAILED\t1\t1\t1\n")
	must(t, n, "RESTORE DATABASE shop FROM File('never') SETTINGS id = 'r2' ASYNC")
	ends("r2", "RESTORE_FAILED\t1\t1\t1\n")
	refused(t, n, sqlerr.UnknownSetting, "BACKUP TABLE shop.people TO File('x') SETTINGS nosuch = 1 ASYNC")
}
