package files

import (
	"context"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/s3"
	"github.com/olapd/olapd/internal/sqlerr"
)

// stored is the objects of a bucket that a key, perhaps a pattern, means.
type stored struct {
	bucket  *s3.Bucket
	address s3.Address
	listed  int
}

// stored takes an address apart and checks where it leads. Nothing is connected to.
func (r *Reach) stored(q Request) (*stored, error) {
	a, err := s3.ParseAddress(q.Path)
	if err != nil {
		return nil, err
	}
	if a.Key == "" {
		return nil, sqlerr.New(sqlerr.BadArguments, "Bad address of S3: it names no key in bucket %s", a.Bucket)
	}
	if r == nil || r.Allows == nil {
		return nil, sqlerr.New(sqlerr.UnacceptableURL, "Address %s is not allowed: the config names no remote_hosts", a.Target())
	}
	keys := q.Keys
	keys.Environment = keys.Environment && r.Environment
	b, err := s3.Open(a, keys, r.Allows)
	if err != nil {
		return nil, err
	}
	return &stored{bucket: b, address: a}, nil
}

func (s *stored) close() error { return s.bucket.Close() }

// list implements place.
func (s *stored) list(ctx context.Context) ([]*object, error) {
	names, err := Expand(s.address.Key)
	if err != nil {
		return nil, err
	}
	found := map[string]*object{}
	for _, n := range names {
		if err := s.find(ctx, n, found); err != nil {
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

// numbered are keys of which numbers in a range may be missing; others that are named are there.
var numbered = regexp.MustCompile(`\{\d+\.\.\d+\}`)

// find adds the objects that a key without braces means.
func (s *stored) find(ctx context.Context, key string, found map[string]*object) error {
	if !strings.ContainsAny(key, "*?") {
		info, err := s.bucket.Stat(ctx, key)
		if errors.Is(err, s3.ErrNotExist) && numbered.MatchString(s.address.Key) {
			return nil
		}
		if err != nil {
			return err
		}
		found[key] = s.object(info)
		return nil
	}
	re, err := pattern(key)
	if err != nil {
		return err
	}
	return s.bucket.List(ctx, fixed(key), func(i s3.Info) error {
		if s.listed++; s.listed > maxListed {
			return sqlerr.New(sqlerr.TooManyRows, "The pattern %s looks at more than %d names", s.address.Key, maxListed)
		}
		if strings.HasSuffix(i.Key, "/") || !re.MatchString(i.Key) { // a folder that some program has made
			return nil
		}
		if found[i.Key] = s.object(i); len(found) > maxFiles {
			return sqlerr.New(sqlerr.TooManyRows, "The pattern %s matches more than %d files", s.address.Key, maxFiles)
		}
		return nil
	})
}

func (s *stored) object(i s3.Info) *object {
	return &object{path: s.address.Bucket + "/" + i.Key, name: i.Key, size: i.Size, modified: i.Modified, open: func(ctx context.Context) (io.ReadCloser, error) {
		return s.bucket.Object(ctx, i), nil
	}}
}

// storedTarget is an object being written.
type storedTarget struct {
	*s3.Upload
	place *stored
}

// maxNumbered bounds the keys tried for one that is free.
const maxNumbered = 10_000

// storedTarget begins to write the object of a request, if there is none or the options say what to do then.
func (r *Reach) storedTarget(ctx context.Context, q Request, o Options) (target, error) {
	p, err := r.stored(q)
	if err != nil {
		return nil, err
	}
	key, err := p.free(ctx, o)
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return &storedTarget{p.bucket.Create(ctx, key, o.Memory), p}, nil
}

// free is the key to write to.
func (s *stored) free(ctx context.Context, o Options) (string, error) {
	key := s.address.Key
	if o.ReplaceObject {
		return key, nil
	}
	for i := 1; i < maxNumbered; i++ {
		_, err := s.bucket.Stat(ctx, key)
		switch {
		case errors.Is(err, s3.ErrNotExist):
			return key, nil
		case err != nil:
			return "", err
		case !o.NumberObject:
			return "", sqlerr.New(sqlerr.BadArguments, "Object in bucket %s with key %s already exists. If you want to overwrite it, enable setting s3_truncate_on_insert, if you want to create a new file on each insert, enable setting s3_create_new_file_on_insert",
				s.address.Bucket, s.address.Key)
		}
		folder, name := path.Split(s.address.Key)
		bare, end, dot := strings.Cut(name, ".")
		if key = folder + bare + "." + strconv.Itoa(i); dot {
			key += "." + end
		}
	}
	return "", sqlerr.New(sqlerr.BadArguments, "There are %d objects beside %s already", maxNumbered, s.address)
}

func (t *storedTarget) commit() error { return errors.Join(t.Commit(), t.place.close()) }

func (t *storedTarget) abort() error { return errors.Join(t.Abort(), t.place.close()) }
