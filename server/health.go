package server

import (
	"fmt"
	"net/http"
	"strings"
)

// health answers 200 while the node serves, else 503 with the reason.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Healthy != nil {
		if err := s.cfg.Healthy(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	ok(w, r)
}

// replicas answers 200 while no table lags too far, else 503; with verbose=1 it lists every table, to those who are known.
func (s *Server) replicas(w http.ResponseWriter, r *http.Request) {
	var lags []Lag
	if s.cfg.Replicas != nil {
		lags = s.cfg.Replicas()
	}
	late := false
	var b strings.Builder
	for _, l := range lags {
		late = late || l.Late
		fmt.Fprintf(&b, "%s.%s:\tAbsolute delay: %d. Relative delay: %d.\n", l.Database, l.Table, int(l.Absolute.Seconds()), int(l.Relative.Seconds()))
	}
	if !late && !isTrue(r.URL.Query().Get("verbose")) {
		ok(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	if late {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if s.known(r) != nil {
		return // the status says it
	}
	_, _ = w.Write([]byte(b.String())) // a client that has gone does not want the answer
}
