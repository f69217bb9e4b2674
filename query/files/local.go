package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// local is the files of a path in the folder.
type local struct {
	folder *vfs.Folder // nil: there is no such folder
	dir    string      // of it, absolute
	name   string      // the path in it
	listed int
}

// local opens the folder for a path, which may be absolute, if it is in the folder.
func (r *Reach) local(p string) (*local, error) {
	if r == nil || r.Folder == "" {
		return nil, sqlerr.New(sqlerr.DatabaseAccessDenied, "Table function file is not allowed: the config names no folder of user files")
	}
	dir, err := filepath.Abs(r.Folder)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.DatabaseAccessDenied, "Folder of user files")
	}
	dir = filepath.ToSlash(dir)
	name := p
	if path.IsAbs(p) {
		rest, ok := strings.CutPrefix(path.Clean(p), dir+"/")
		if !ok {
			return nil, denied(p, dir)
		}
		name = rest
	}
	if strings.HasSuffix(p, "/") || name == "" {
		return nil, sqlerr.New(sqlerr.BadArguments, "Path '%s' names no file", p)
	}
	if name = path.Clean(name); name == ".." || strings.HasPrefix(name, "../") {
		return nil, denied(p, dir)
	}
	l := &local{dir: dir, name: name}
	l.folder, err = vfs.OpenFolder(r.FS, r.Folder)
	if err != nil && !vfs.IsNotExist(err) {
		return nil, sqlerr.Wrap(err, sqlerr.CannotOpenFile, "Folder of user files")
	}
	if err != nil {
		l.folder = nil
	}
	return l, nil
}

func denied(p, dir string) error {
	return sqlerr.New(sqlerr.DatabaseAccessDenied, "File '%s' is not inside '%s'", p, dir)
}

// failed gives an error about a file its code.
func (l *local) failed(err error, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, vfs.ErrOutside):
		return denied(l.shown(name), l.dir)
	case vfs.IsNotExist(err):
		return sqlerr.New(sqlerr.FileDoesntExist, "File %s doesn't exist", l.shown(name))
	case vfs.IsNoSpace(err):
		return sqlerr.Wrap(err, sqlerr.NotEnoughSpace, "File %s", l.shown(name))
	case errors.Is(err, fs.ErrInvalid):
		return sqlerr.New(sqlerr.CannotOpenFile, "%s is not a regular file", l.shown(name))
	}
	return sqlerr.Wrap(err, sqlerr.CannotOpenFile, "File %s", l.shown(name))
}

func (l *local) shown(name string) string { return path.Join(l.dir, name) }

func (l *local) close() error {
	if l.folder == nil {
		return nil
	}
	return l.folder.Close()
}

// list implements place.
func (l *local) list(ctx context.Context) ([]*object, error) {
	if l.folder == nil {
		if isPattern(l.name) {
			return nil, nil
		}
		return nil, l.failed(fs.ErrNotExist, l.name)
	}
	if !isPattern(l.name) {
		o, err := l.object(l.name)
		if err == nil && o == nil {
			err = sqlerr.New(sqlerr.CannotOpenFile, "%s is a directory, not a file", l.shown(l.name))
		}
		return []*object{o}, err
	}
	names, err := Expand(l.name)
	if err != nil {
		return nil, err
	}
	found := map[string]*object{}
	for _, n := range names {
		parts, err := steps(n)
		if err == nil {
			err = l.walk(ctx, ".", parts, 0, found)
		}
		if err != nil {
			return nil, err
		}
	}
	out := make([]*object, 0, len(found))
	for _, o := range found {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b *object) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// object describes a file; nil if it is a directory.
func (l *local) object(name string) (*object, error) {
	info, err := l.folder.Stat(name)
	if err != nil {
		return nil, l.failed(err, name)
	}
	if info.IsDir {
		return nil, nil
	}
	return &object{path: l.shown(name), name: name, size: info.Size, modified: info.ModTime, open: func(context.Context) (io.ReadCloser, error) {
		f, err := l.folder.Open(name)
		if err != nil {
			return nil, l.failed(err, name)
		}
		return f, nil
	}}, nil
}

// walk adds the files below dir that the steps lead to.
func (l *local) walk(ctx context.Context, dir string, parts []*regexp.Regexp, depth int, found map[string]*object) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if depth > maxDepth {
		return sqlerr.New(sqlerr.TooDeepRecursion, "Folders are nested deeper than %d below %s", maxDepth, l.dir)
	}
	if parts[0] == nil { // no folder at all
		if err := l.walk(ctx, dir, parts[1:], depth+1, found); err != nil {
			return err
		}
	}
	names, err := l.folder.List(dir)
	if err != nil {
		return l.failed(err, dir)
	}
	if l.listed += len(names); l.listed > maxListed {
		return sqlerr.New(sqlerr.TooManyRows, "The pattern %s looks at more than %d names", l.name, maxListed)
	}
	for _, n := range names {
		if parts[0] != nil && !parts[0].MatchString(n) {
			continue
		}
		if err := l.step(ctx, path.Join(dir, n), parts, depth, found); err != nil {
			return err
		}
	}
	return nil
}

// step goes to a name that matches the first of parts.
func (l *local) step(ctx context.Context, name string, parts []*regexp.Regexp, depth int, found map[string]*object) error {
	o, err := l.object(name)
	if err != nil {
		return err
	}
	switch {
	case o == nil && parts[0] == nil:
		return l.walk(ctx, name, parts, depth+1, found)
	case o == nil && len(parts) > 1:
		return l.walk(ctx, name, parts[1:], depth+1, found)
	case o != nil && len(parts) == 1:
		if found[name] = o; len(found) > maxFiles {
			return sqlerr.New(sqlerr.TooManyRows, "The pattern %s matches more than %d files", l.name, maxFiles)
		}
	}
	return nil
}
