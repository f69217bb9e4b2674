package server

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/compress"
)

// The play page is server/play: one HTML page, style sheets and ES modules, served as they are. It asks the server
// only for what any client may ask, as the user who is typed in, and loads nothing from elsewhere; the policy holds it to that.
//
//go:embed play
var playFiles embed.FS

const playPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// playTypes are the content types of the page's files, by extension: not those of the machine's table.
var playTypes = map[string]string{
	".html": "text/html; charset=UTF-8", ".css": "text/css; charset=UTF-8", ".js": "text/javascript; charset=UTF-8",
}

// playFile is one file of the page. Its encodings are made when they are first asked for, and kept.
type playFile struct {
	kind, tag string
	raw       []byte

	mu    sync.Mutex
	coded map[compress.Coding][]byte
}

// encoded returns the file in a content coding.
func (f *playFile) encoded(c compress.Coding) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b, ok := f.coded[c]; ok {
		return b, nil
	}
	var b bytes.Buffer
	w, err := compress.NewWriter(&b, c)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(f.raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	f.coded[c] = b.Bytes()
	return f.coded[c], nil
}

// ServeHTTP implements http.Handler.
func (f *playFile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, tag := f.raw, f.tag
	h := w.Header()
	if c, ok := negotiate(r.Header.Get("Accept-Encoding")); ok {
		coded, err := f.encoded(c)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body, tag = coded, tag+"-"+string(c)
		h.Set("Content-Encoding", string(c))
	}
	h.Set("Content-Type", f.kind)
	h.Set("ETag", `"`+tag+`"`)
	h.Set("Cache-Control", "no-cache") // kept, but asked for again: a new olapd has a new page
	h.Set("Vary", "Accept-Encoding")
	h.Set("Content-Security-Policy", playPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// playPage serves the files of the page by their paths: /play is the page itself, its parts are below /play/.
var playPage = newPlayPage()

// newPlayPage reads the files; it panics if one of those that were built in is of no known type, as a test would.
func newPlayPage() http.Handler {
	files := map[string]*playFile{}
	err := fs.WalkDir(playFiles, "play", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kind := playTypes[path.Ext(name)]
		if kind == "" {
			return fmt.Errorf("server: no content type for %s", name)
		}
		raw, err := playFiles.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(raw)
		files["/"+name] = &playFile{kind: kind, tag: hex.EncodeToString(sum[:12]), raw: raw, coded: map[compress.Coding][]byte{}}
		return nil
	})
	if err != nil {
		panic(err)
	}
	files["/play"] = files["/play/index.html"]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := files[strings.TrimSuffix(r.URL.Path, "/")]
		switch {
		case f == nil:
			http.NotFound(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "The page is only read", http.StatusMethodNotAllowed)
		case r.URL.Path == "/play/":
			http.Redirect(w, r, "/play", http.StatusMovedPermanently) // the page names its parts as seen from /play
		default:
			f.ServeHTTP(w, r)
		}
	})
}
