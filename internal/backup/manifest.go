package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// manifestName is the file that makes a backup complete, segmentFolder where its segments are.
const (
	manifestName  = "manifest"
	segmentFolder = "segments/"
	magic         = "olapd backup 1 "
)

// Manifest says what a backup holds.
type Manifest struct {
	Created   int64      `json:"created"` // Unix nanoseconds
	Version   string     `json:"version"` // of what wrote it
	Databases []string   `json:"databases"`
	Shards    []Shard    `json:"shards"`
	Tables    []Table    `json:"tables"` // in an order in which they can be created
	Bases     []Location `json:"bases,omitempty"`
}

// Shard is the instant of one shard that the backup shows.
type Shard struct {
	ID    uint64 `json:"id"`
	Index uint64 `json:"index"` // of the log
}

// Table is a table, view or rollup, with its rows. Those of a rollup are those of its hidden table.
type Table struct {
	Database string `json:"database"`
	Name     string `json:"name"`
	Create   string `json:"create"` // SQL
	// Stored are the names by which segments know columns, where it is another than the column's.
	Stored   map[string]string `json:"stored,omitempty"`
	Segments []Segment         `json:"segments,omitempty"`
}

// Rows is how many rows the table has, before any FINAL.
func (t *Table) Rows() uint64 {
	n := uint64(0)
	for _, s := range t.Segments {
		n += s.Rows
	}
	return n
}

// Segment is a segment of a table.
type Segment struct {
	Shard     uint64 `json:"shard"`
	Hash      string `json:"hash"` // in the shard's manifest, hexadecimal; names the file
	Partition string `json:"partition"`
	Rows      uint64 `json:"rows"`
	Bytes     uint64 `json:"bytes"`
	// TTLMin and TTLMax are when the first and the last row expire, as the shard's manifest says; both 0 in backups from before they were noted.
	TTLMin int64  `json:"ttl_min,omitempty"`
	TTLMax int64  `json:"ttl_max,omitempty"`
	SHA256 string `json:"sha256"` // of the file, hexadecimal
	// Base is 0 if the file is in this backup; else Bases[Base-1] has it.
	Base int `json:"base,omitempty"`
}

func (s *Segment) file() string { return segmentFolder + s.Hash }

func (m *Manifest) encode() ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	sum := sha256.Sum256(body)
	return append([]byte(magic+hex.EncodeToString(sum[:])+"\n"), body...), nil
}

// decode reads a manifest. Damage is BackupDamaged.
func decode(b []byte) (*Manifest, error) {
	head, body, ok := bytes.Cut(b, []byte("\n"))
	sum, known := strings.CutPrefix(string(head), magic)
	if !ok || !known {
		return nil, sqlerr.New(sqlerr.BackupVersionNotSupported, "The manifest of the backup begins with %.40q, not with %q", head, magic)
	}
	if got := sha256.Sum256(body); hex.EncodeToString(got[:]) != sum {
		return nil, sqlerr.New(sqlerr.BackupDamaged, "The manifest of the backup is damaged: its checksum does not match")
	}
	m := &Manifest{}
	if err := json.Unmarshal(body, m); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.BackupDamaged, "The manifest of the backup is damaged")
	}
	return m, m.check()
}

// check refuses what could lead out of the backup.
func (m *Manifest) check() error {
	if len(m.Bases) > maxBases {
		return sqlerr.New(sqlerr.BackupDamaged, "The backup has %d bases, the limit is %d", len(m.Bases), maxBases)
	}
	for _, t := range m.Tables {
		for _, s := range t.Segments {
			if _, err := hex.DecodeString(s.Hash); err != nil || s.Hash == "" || s.Base < 0 || s.Base > len(m.Bases) || s.Bytes > 1<<62 {
				return sqlerr.New(sqlerr.BackupDamaged, "The backup names a segment %q of %d bytes in base %d", s.Hash, s.Bytes, s.Base)
			}
		}
	}
	return nil
}

// load reads the manifest of a backup; errNotExist if it is not there.
func load(ctx context.Context, st Storage) (*Manifest, error) {
	f, err := st.Open(ctx, manifestName)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(b) > maxManifest {
		return nil, sqlerr.New(sqlerr.BackupDamaged, "The manifest of the backup is longer than %d bytes", maxManifest)
	}
	return decode(b)
}
