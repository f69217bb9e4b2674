package server

import (
	"net"
	"net/http"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/sqlerr"
)

// login finds the user of a request by the one form of credentials it uses.
func (s *Server) login(r *http.Request, params map[string][]string) (string, error) {
	name, password, given, err := credentials(r, params)
	if err != nil {
		return "", err
	}
	return s.cfg.Engine.Authenticate(r.Context(), access.Login{User: name, Password: password, Given: given, Address: r.RemoteAddr})
}

// known reports whether names of tables may be told: to this machine, and to any user who logs in.
func (s *Server) known(r *http.Request) error {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
			return nil
		}
	}
	_, err := s.login(r, r.URL.Query())
	return err
}

// private serves h to those who are known.
func (s *Server) private(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.known(r); err != nil {
			s.fail(w, r, err)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// credentials reads user and password; given says that a password was sent at all.
func credentials(r *http.Request, params map[string][]string) (user, password string, given bool, err error) {
	h := r.Header
	byHeader := h.Get("X-ClickHouse-User") != "" || h.Get("X-ClickHouse-Key") != ""
	byAuth := h.Get("Authorization") != ""
	_, hasUser := params["user"]
	_, hasPassword := params["password"]
	if byHeader && (byAuth || hasUser || hasPassword) {
		return "", "", false, sqlerr.New(sqlerr.AuthenticationFailed,
			"Invalid authentication: it is not allowed to use X-ClickHouse HTTP headers and other authentication methods simultaneously")
	}
	switch {
	case byHeader:
		return orDefault(h.Get("X-ClickHouse-User")), h.Get("X-ClickHouse-Key"), h.Get("X-ClickHouse-Key") != "", nil
	case hasUser || hasPassword:
		return orDefault(first(params, "user")), first(params, "password"), hasPassword, nil
	case byAuth:
		user, password, ok := r.BasicAuth()
		if !ok {
			return "", "", false, sqlerr.New(sqlerr.AuthenticationFailed, "Invalid authentication: only Basic HTTP authentication is supported")
		}
		return orDefault(user), password, true, nil
	}
	return "default", "", false, nil
}

func orDefault(user string) string {
	if user == "" {
		return "default"
	}
	return user
}

func first(params map[string][]string, name string) string {
	if v := params[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}
