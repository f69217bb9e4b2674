package backup

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// Storage is where the files of one backup are. Safe for concurrent use.
type Storage interface {
	// Put makes a file of size bytes, durable when it returns. After an error there is none of the name.
	Put(ctx context.Context, name string, size int64, r io.Reader) error
	// Open reads a file from its start; an error that wraps errNotExist if there is none. The caller closes it.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Remove removes a file; one that is not there is no error.
	Remove(ctx context.Context, name string) error
}

// errNotExist is wrapped by the errors of files that are not there.
var errNotExist = errors.New("backup: no such file")

// Location says where a backup is, as BACKUP and RESTORE do: File('name'), Disk('backups', 'name') or S3('url', 'key', 'secret').
type Location struct {
	Engine string   `json:"engine"`
	Args   []string `json:"args"`
}

// String prints the location without its secrets.
func (l Location) String() string {
	var b strings.Builder
	b.WriteString(l.Engine + "(")
	for i, a := range l.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		if l.Engine == "S3" && i > 0 {
			a = "[HIDDEN]"
		}
		b.WriteString("'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(a) + "'")
	}
	return b.String() + ")"
}

// public is the location as manifests hold it: keys of S3 stay out.
func (l Location) public() Location {
	if l.Engine == "S3" && len(l.Args) > 1 {
		return Location{Engine: l.Engine, Args: l.Args[:1]}
	}
	return l
}

// withKeysOf is a location that a manifest names, with the keys of the backup that names it.
func (l Location) withKeysOf(of Location) Location {
	if l.Engine == "S3" && len(l.Args) == 1 && of.Engine == "S3" {
		return Location{Engine: l.Engine, Args: slices.Concat(l.Args, of.Args[1:])}
	}
	return l
}

// Places is where backups may be. Immutable.
type Places struct {
	FS     vfs.FS
	Folder string // File and Disk name folders below it
	// S3Hosts are the hosts, or host:port, that S3 may name; no others are ever connected to.
	S3Hosts []string
}

// Storage returns the storage of a location; nothing is opened or made yet.
func (p *Places) Storage(l Location) (Storage, error) {
	switch l.Engine {
	case "File":
		if len(l.Args) != 1 {
			return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Backup engine 'File' requires 1 argument (path)")
		}
		return p.inFolder(l.Args[0])
	case "Disk":
		if len(l.Args) != 2 {
			return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Backup engine 'Disk' requires 2 arguments (disk_name, filename)")
		}
		if l.Args[0] != "backups" {
			return nil, sqlerr.New(sqlerr.BadArguments, "Disk '%s' is not allowed for backups: the only one is 'backups'", l.Args[0])
		}
		return p.inFolder(l.Args[1])
	case "S3":
		if len(l.Args) != 1 && len(l.Args) != 3 {
			return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Backup S3 requires 1 or 3 arguments: url, [access_key_id, secret_access_key].")
		}
		return p.inBucket(l.Args)
	}
	return nil, sqlerr.New(sqlerr.BackupEngineNotFound, "Not found backup engine '%s'.", l.Engine)
}

// archives are the endings of names that ClickHouse makes archives of.
var archives = []string{".zip", ".zipx", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.lzma", ".tar.zst", ".tzst", ".tar.xz"}

func (p *Places) inFolder(name string) (Storage, error) {
	rel := filepath.Clean(name)
	if filepath.IsAbs(rel) {
		inside, err := filepath.Rel(p.Folder, rel)
		if err != nil {
			inside = ".." // refused below
		}
		rel = inside
	}
	if name == "" || rel == "." || !filepath.IsLocal(rel) {
		return nil, sqlerr.New(sqlerr.BadArguments, "Path '%s' is not allowed for backups: it must be below the folder that the configuration calls backups", name)
	}
	if slices.ContainsFunc(archives, func(end string) bool { return strings.HasSuffix(rel, end) }) {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Backups as archives are not implemented: '%s' would be a folder", name)
	}
	return &folder{fs: p.FS, root: filepath.Clean(p.Folder), dir: filepath.Join(p.Folder, rel)}, nil
}
