package server

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
)

// reserved are the parameters that are no settings.
var reserved = map[string]bool{
	"query": true, "database": true, "default_format": true, "user": true, "password": true, "quota_key": true, "query_id": true,
	"session_id": true, "session_timeout": true, "session_check": true, "close_session": true, "role": true, "compress": true,
	"decompress": true, "buffer_size": true, "wait_end_of_query": true, "stacktrace": true, "client_protocol_version": true, "profile": true,
}

// request is what a query request asks for, beside who asks.
type request struct {
	query.Query
	params        url.Values
	externalBytes int64 // of the tables that came along
	defaultFormat string
	compress      bool // the answer in ClickHouse's frames
	wait          bool // buffer the whole answer
	bufferSize    int
}

// parseRequest reads a request's parameters and finds its body.
func parseRequest(r *http.Request) (*request, error) {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "Bad query string")
	}
	q := &request{params: params}
	body := io.Reader(r.Body)
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		body = nil
	}
	if kind, opts, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" && body != nil {
		if err := q.form(multipart.NewReader(body, opts["boundary"])); err != nil {
			return nil, err
		}
		body = nil
	}
	if body, err = decoded(body, r, first(params, "decompress")); err != nil {
		return nil, err
	}
	q.Body = body
	q.fill(r)
	return q, nil
}

// form reads the fields of a multipart body; they count as parameters.
func (q *request) form(m *multipart.Reader) error {
	left := int64(maxMultipart)
	for {
		part, err := m.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return sqlerr.Wrap(err, sqlerr.BadArguments, "Bad multipart body")
		}
		name := part.FormName()
		if q.isExternal(name, part.FileName()) {
			if err := q.external(name, part); err != nil {
				return err
			}
			continue
		}
		b, err := io.ReadAll(io.LimitReader(part, left+1))
		if err != nil {
			return sqlerr.Wrap(err, sqlerr.CannotReadAllData, "Cannot read the multipart body")
		}
		if left -= int64(len(b)); left < 0 {
			return sqlerr.New(sqlerr.QueryIsTooLarge, "The fields of a multipart body take more than %d bytes", maxMultipart)
		}
		q.params.Add(name, string(b))
	}
}

// decoded undoes Content-Encoding and ClickHouse's frames.
func decoded(body io.Reader, r *http.Request, frames string) (io.Reader, error) {
	if body == nil {
		return nil, nil
	}
	if name := r.Header.Get("Content-Encoding"); name != "" && name != "identity" {
		coding, ok := compress.ParseCoding(name)
		if !ok {
			return nil, sqlerr.New(sqlerr.NotImplemented, "Content-Encoding %s is not supported", name)
		}
		plain, err := compress.NewReader(body, coding)
		if err != nil {
			return nil, err
		}
		body = plain
	}
	if isTrue(frames) {
		body = compress.NewFrameReader(body)
	}
	return body, nil
}

func isTrue(s string) bool { return s != "" && s != "0" && !strings.EqualFold(s, "false") }

// fill sorts the parameters into the query's parts.
func (q *request) fill(r *http.Request) {
	h, p := r.Header, q.params
	q.Text = first(p, "query")
	if q.Text == "" && q.Body == nil {
		q.Body = bytes.NewReader(nil)
	}
	q.ID = first(p, "query_id")
	if q.ID == "" {
		q.ID = h.Get("X-ClickHouse-Query-Id")
	}
	q.Database = first(p, "database")
	if d := h.Get("X-ClickHouse-Database"); d != "" {
		q.Database = d
	}
	q.defaultFormat = first(p, "default_format")
	if f := h.Get("X-ClickHouse-Format"); f != "" {
		q.defaultFormat = f
	}
	q.compress = isTrue(first(p, "compress"))
	q.wait = isTrue(first(p, "wait_end_of_query"))
	q.bufferSize, _ = strconv.Atoi(first(p, "buffer_size"))
	q.Revision, _ = strconv.Atoi(first(p, "client_protocol_version"))
	q.ReadOnly = r.Method != http.MethodPost
	q.Params, q.Settings = map[string]string{}, map[string]string{}
	for name, values := range p {
		param, isParam := strings.CutPrefix(name, "param_")
		switch {
		case name == "", reserved[name], len(values) == 0:
		case isParam:
			q.Params[param] = values[0]
		default:
			q.Settings[name] = values[len(values)-1]
		}
	}
	q.Client = &query.Client{Address: r.RemoteAddr, Interface: "HTTP", UserAgent: r.UserAgent(), HTTPMethod: r.Method, Secure: isSecure(r)}
}
