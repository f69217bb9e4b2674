package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/twmb/franz-go/pkg/sr"
)

// registryTimeout bounds one request to the schema registry.
const registryTimeout = 10 * time.Second

// registry looks schemas up by id and keeps them: an id never changes its schema. Safe for concurrent use.
type registry struct {
	client *sr.Client
	http   *http.Client
	mu     struct {
		sync.Mutex
		schemas map[uint32]string
	}
}

// newRegistry takes the URL with optional user:password in it.
func newRegistry(rawURL string, dial DialFunc) (*registry, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return nil, sqlerr.New(sqlerr.BadArguments, "format_avro_schema_registry_url '%s' is not a URL", rawURL)
	}
	hc := &http.Client{Timeout: registryTimeout, Transport: &http.Transport{DialContext: dial, Proxy: http.ProxyFromEnvironment}}
	opts := []sr.ClientOpt{sr.HTTPClient(hc), sr.UserAgent("olapd")}
	if u.User != nil {
		pass, _ := u.User.Password()
		opts = append(opts, sr.BasicAuth(u.User.Username(), pass))
		u.User = nil
	}
	client, err := sr.NewClient(append(opts, sr.URLs(u.String()))...)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "format_avro_schema_registry_url")
	}
	r := &registry{client: client, http: hc}
	r.mu.schemas = map[uint32]string{}
	return r, nil
}

// close lets go of idle connections.
func (r *registry) close() { r.http.CloseIdleConnections() }

// schema returns the schema's text. An id that the registry does not know is the message's fault; every other failure
// is *unavailable.
func (r *registry) schema(ctx context.Context, id uint32) (string, error) {
	r.mu.Lock()
	text, ok := r.mu.schemas[id]
	r.mu.Unlock()
	if ok {
		return text, nil
	}
	s, err := r.client.SchemaByID(ctx, int(id))
	var answer *sr.ResponseError
	switch {
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return "", sqlerr.New(sqlerr.IncorrectData, "The schema registry does not know schema %d", id)
	case err != nil:
		return "", &unavailable{fmt.Errorf("schema registry: schema %d: %w", id, err)}
	case s.Type != sr.TypeAvro:
		return "", sqlerr.New(sqlerr.IncorrectData, "Schema %d is not an Avro schema but %s", id, s.Type)
	case len(s.References) > 0:
		return "", sqlerr.New(sqlerr.NotImplemented, "Schema %d has references to other schemas, which is not supported", id)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.mu.schemas) >= maxSchemas {
		clear(r.mu.schemas)
	}
	r.mu.schemas[id] = s.Schema
	return s.Schema, nil
}
