package backup

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// places are where the tests keep backups: each is run over all kinds.
func places(t *testing.T) (p *Places, at func(kind, name string) Location) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(srv.Close)
	p = &Places{FS: vfs.NewMem(), Folder: "/data/backups", S3Hosts: []string{strings.TrimPrefix(srv.URL, "http://")}}
	return p, func(kind, name string) Location {
		switch kind {
		case "S3":
			return Location{Engine: "S3", Args: []string{srv.URL + "/bucket/" + name, "key", "secret"}}
		case "Disk":
			return Location{Engine: "Disk", Args: []string{"backups", name}}
		}
		return Location{Engine: "File", Args: []string{name}}
	}
}

func segmentOf(shard uint64, hash, content string) (Segment, string) {
	return Segment{Shard: shard, Hash: hash, Rows: 1, Bytes: uint64(len(content))}, content
}

// write writes a backup of one table with segments given as hash=content.
func write(t *testing.T, p *Places, at Location, base *Location, segments ...string) (*Writer, error) {
	t.Helper()
	w, err := p.Create(t.Context(), at, base)
	if err != nil {
		return nil, err
	}
	table := Table{Database: "d", Name: "t", Create: "CREATE TABLE d.t"}
	for _, s := range segments {
		hash, text, _ := strings.Cut(s, "=")
		seg, content := segmentOf(1, hash, text)
		known, ok := w.Known(seg)
		if !ok {
			if known, err = w.Put(t.Context(), seg, strings.NewReader(content)); err != nil {
				return w, err
			}
		}
		table.Segments = append(table.Segments, known)
	}
	return w, w.Finish(t.Context(), &Manifest{Created: 1, Version: "test", Tables: []Table{table}})
}

func content(t *testing.T, p *Places, at Location) (string, error) {
	t.Helper()
	r, err := p.Open(t.Context(), at)
	if err != nil {
		return "", err
	}
	var out []string
	for _, s := range r.Manifest.Tables[0].Segments {
		var b bytes.Buffer
		if err := r.Copy(t.Context(), &s, &b); err != nil {
			return "", err
		}
		out = append(out, fmt.Sprintf("%s=%s@%d", s.Hash, b.String(), s.Base))
	}
	return strings.Join(out, " "), nil
}

func TestBackups(t *testing.T) {
	for _, kind := range []string{"File", "Disk", "S3"} {
		t.Run(kind, func(t *testing.T) {
			p, at := places(t)
			full, next, last := at(kind, "full"), at(kind, "next"), at(kind, "deep/last")
			if _, err := content(t, p, full); !sqlerr.Is(err, sqlerr.BackupNotFound) {
				t.Fatalf("a backup that is not there: %v", err)
			}
			if _, err := write(t, p, full, nil, "aa=one", "bb=two", "aa=one"); err != nil {
				t.Fatal(err)
			}
			if _, err := write(t, p, full, nil); !sqlerr.Is(err, sqlerr.BackupAlreadyExists) {
				t.Fatalf("a second backup of the name: %v", err)
			}
			w, err := write(t, p, next, &full, "bb=two", "cc=three")
			if err != nil || w.Written.Segments != 1 {
				t.Fatalf("%v, %d written", err, w.Written.Segments)
			}
			if w, err = write(t, p, last, &next, "aa=again", "bb=two", "cc=three", "dd=four"); err != nil || w.Written.Segments != 2 {
				t.Fatalf("%v, %d written", err, w.Written.Segments)
			}
			for _, c := range []struct {
				at   Location
				want string
			}{
				{full, "aa=one@0 bb=two@0 aa=one@0"}, {next, "bb=two@1 cc=three@0"}, {last, "aa=again@0 bb=two@2 cc=three@1 dd=four@0"},
			} {
				if got, err := content(t, p, c.at); err != nil || got != c.want {
					t.Errorf("%s: %q (%v), want %q", c.at, got, err, c.want)
				}
			}
			b, err := mustLoad(t, p, last).encode()
			if err != nil || bytes.Contains(b, []byte("secret")) {
				t.Errorf("the manifest holds keys: %s %v", b, err)
			}
		})
	}
}

func mustLoad(t *testing.T, p *Places, at Location) *Manifest {
	t.Helper()
	r, err := p.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return r.Manifest
}

// TestDamage changes each byte of a backup's files: every change is seen.
func TestDamage(t *testing.T) {
	for _, kind := range []string{"File", "S3"} {
		p, at := places(t)
		l := at(kind, "b")
		if _, err := write(t, p, l, nil, "aa=one"); err != nil {
			t.Fatal(err)
		}
		st, err := p.Storage(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{manifestName, segmentFolder + "aa"} {
			f, err := st.Open(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			var whole bytes.Buffer
			if _, err := whole.ReadFrom(f); err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			step := 1
			if kind == "S3" {
				step = 37
			}
			for i := 0; i < whole.Len(); i += step {
				b := bytes.Clone(whole.Bytes())
				b[i] ^= 0x20
				if err := st.Put(t.Context(), name, int64(len(b)), bytes.NewReader(b)); err != nil {
					t.Fatal(err)
				}
				if got, err := content(t, p, l); !sqlerr.Is(err, sqlerr.BackupDamaged) && !sqlerr.Is(err, sqlerr.BackupVersionNotSupported) {
					t.Fatalf("%s byte %d: %q, %v", name, i, got, err)
				}
			}
			if err := st.Put(t.Context(), name, int64(whole.Len()), &whole); err != nil {
				t.Fatal(err)
			}
		}
		if err := st.Remove(t.Context(), segmentFolder+"aa"); err != nil {
			t.Fatal(err)
		}
		if _, err := content(t, p, l); !sqlerr.Is(err, sqlerr.BackupDamaged) {
			t.Errorf("a segment that is not there: %v", err)
		}
	}
}

func TestLocations(t *testing.T) {
	p, _ := places(t)
	for _, c := range []struct {
		engine string
		args   []string
		code   sqlerr.Code
	}{
		{"File", []string{"../x"}, sqlerr.BadArguments},
		{"File", []string{"/etc/x"}, sqlerr.BadArguments},
		{"File", []string{"a/../../x"}, sqlerr.BadArguments},
		{"File", []string{""}, sqlerr.BadArguments},
		{"File", []string{"."}, sqlerr.BadArguments},
		{"File", []string{"/data/backups"}, sqlerr.BadArguments},
		{"File", []string{"/data/backups/x"}, sqlerr.OK},
		{"File", []string{"x.zip"}, sqlerr.NotImplemented},
		{"File", nil, sqlerr.NumberOfArgumentsDoesntMatch},
		{"Disk", []string{"other", "x"}, sqlerr.BadArguments},
		{"Disk", []string{"x"}, sqlerr.NumberOfArgumentsDoesntMatch},
		{"Memory", []string{"x"}, sqlerr.BackupEngineNotFound},
		{"S3", []string{"http://169.254.169.254/b/x"}, sqlerr.UnacceptableURL},
		{"S3", []string{"http://" + p.S3Hosts[0] + "/b"}, sqlerr.BadArguments},
		{"S3", []string{"file:///b/x"}, sqlerr.BadArguments},
		{"S3", []string{"http://" + p.S3Hosts[0] + "@evil/b/x"}, sqlerr.BadArguments},
		{"S3", []string{"http://" + p.S3Hosts[0] + "/b/x", "key"}, sqlerr.NumberOfArgumentsDoesntMatch},
	} {
		_, err := p.Storage(Location{Engine: c.engine, Args: c.args})
		if c.code == sqlerr.OK && err != nil || c.code != sqlerr.OK && !sqlerr.Is(err, c.code) {
			t.Errorf("%s %q: %v, want code %d", c.engine, c.args, err, c.code)
		}
	}
}

// TestFullDisk fills the disk in the middle of a backup: what was written goes, and the room is enough for the next.
func TestFullDisk(t *testing.T) {
	p, at := places(t)
	l := at("File", "b")
	disk := p.FS.(*vfs.Mem)
	disk.SetCapacity(1000)
	w, err := write(t, p, l, nil, "aa="+strings.Repeat("x", 600), "bb="+strings.Repeat("y", 600))
	if !sqlerr.Is(err, sqlerr.NotEnoughSpace) {
		t.Fatalf("on a full disk: %v", err)
	}
	if err := w.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names, err := disk.List("/data/backups"); err != nil || len(names) > 0 {
		t.Errorf("left behind: %q %v", names, err)
	}
	if _, err := write(t, p, l, nil, "aa="+strings.Repeat("x", 200)); err != nil {
		t.Error(err)
	}
}

func FuzzManifest(f *testing.F) {
	m := &Manifest{Tables: []Table{{Database: "d", Name: "t", Segments: []Segment{{Hash: "aa", Bytes: 3}}}}}
	b, err := m.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(magic + "\n{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := decode(b); err == nil {
			if _, err := m.encode(); err != nil {
				t.Error(err)
			}
		}
	})
}
