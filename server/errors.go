package server

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// statuses are the HTTP statuses of ClickHouse's codes; every other code is 500.
var statuses = map[sqlerr.Code]int{}

func init() {
	for status, codes := range map[int][]sqlerr.Code{
		http.StatusUnauthorized: {sqlerr.RequiredPassword},
		http.StatusForbidden:    {sqlerr.UnknownUser, sqlerr.WrongPassword, sqlerr.AuthenticationFailed, sqlerr.SetNonGrantedRole, sqlerr.AccessDenied},
		http.StatusNotFound: {sqlerr.UnknownTable, sqlerr.UnknownFunction, sqlerr.UnknownIdentifier, sqlerr.UnknownType, sqlerr.UnknownStorage,
			sqlerr.UnknownAggregateFunction, sqlerr.UnknownFormat, sqlerr.UnknownTypeOfQuery, sqlerr.UnknownDatabase, sqlerr.UnknownSetting, sqlerr.UnknownRole},
		http.StatusBadRequest: {sqlerr.SyntaxError, sqlerr.CannotParseText, sqlerr.ThereIsNoColumn, sqlerr.DuplicateColumn, sqlerr.CannotParseEscapeSequence,
			sqlerr.CannotParseQuotedString, sqlerr.CannotParseInputAssertionFailed, sqlerr.BadArguments, sqlerr.CannotParseDate, sqlerr.CannotParseDatetime,
			sqlerr.IllegalColumn, sqlerr.TypeMismatch, sqlerr.CannotParseNumber, sqlerr.IncorrectData, sqlerr.TooDeepAST, sqlerr.TooBigAST,
			sqlerr.ValueIsOutOfRangeOfDataType, sqlerr.CannotParseUUID},
		http.StatusRequestTimeout:        {sqlerr.TimeoutExceeded},
		http.StatusLengthRequired:        {sqlerr.HTTPLengthRequired},
		http.StatusRequestEntityTooLarge: {sqlerr.QueryIsTooLarge},
		http.StatusNotImplemented:        {sqlerr.NotImplemented},
		http.StatusServiceUnavailable:    {sqlerr.CannotOpenFile, sqlerr.CannotScheduleTask, sqlerr.SocketTimeout},
	} {
		for _, c := range codes {
			statuses[c] = status
		}
	}
}

func statusOf(c sqlerr.Code) int {
	if s, ok := statuses[c]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// message is an error as ClickHouse prints it and its clients parse it.
func (s *Server) message(err error) string {
	code := sqlerr.CodeOf(err)
	var b strings.Builder
	b.WriteString("Code: ")
	b.WriteString(strconv.Itoa(int(code)))
	b.WriteString(". DB::Exception: ")
	text := err.Error()
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		text = "The request body is too large"
	}
	b.WriteString(text)
	if !strings.HasSuffix(text, ".") {
		b.WriteByte('.')
	}
	b.WriteString(" (" + code.Name() + ") (version " + s.cfg.Version + " (official build))\n")
	return b.String()
}

// fail answers with an error; nothing of the body has been sent yet.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := sqlerr.CodeOf(err)
	h := w.Header()
	h.Del("Content-Encoding")
	h.Del("X-ClickHouse-Format")
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("X-ClickHouse-Exception-Code", strconv.Itoa(int(code)))
	if code == sqlerr.RequiredPassword {
		h.Set("WWW-Authenticate", `Basic realm="ClickHouse server HTTP API"`)
	}
	w.WriteHeader(statusOf(code))
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(s.message(err))) // the client is gone if this fails: there is no one to tell
	}
}
