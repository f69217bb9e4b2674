package virtual

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/files"
)

// storedRequest reads the arguments of s3: address [, NOSIGN | key, secret [, token]] [, format [, structure [, compression]]], of which those
// behind the address may be given by name at the end.
func storedRequest(call analyze.TableCall) (files.Request, error) {
	q := files.Request{Function: "s3"}
	q.Keys.Environment = true
	args, named, err := storedArgs(call)
	if err != nil {
		return q, err
	}
	q.Path, args = args[0], args[1:]
	if len(args) > 0 && strings.EqualFold(args[0], "NOSIGN") {
		q.Keys.Environment, args = false, args[1:]
	} else if len(args) > 1 && !isFormat(args[0]) {
		q.Keys.ID, q.Keys.Secret, args = args[0], args[1], args[2:]
		if len(args) > 0 && !isFormat(args[0]) {
			q.Keys.Token, args = args[0], args[1:]
		}
	}
	if len(args) > 3 {
		return q, wrongStored(call)
	}
	if named["structure"] != "" && len(args) == 2 { // as of the engine S3, which has the columns apart from its arguments
		args = []string{args[0], named["structure"], args[1]}
		delete(named, "structure")
	}
	for i, name := range []string{"format", "structure", "compression_method"} {
		if v, ok := named[name]; ok {
			if i < len(args) {
				return q, sqlerr.New(sqlerr.BadArguments, "Argument %s of table function %s is given twice", name, call.Name)
			}
			args = append(args, slices.Repeat([]string{""}, i-len(args))...)
			args = append(args, v)
		}
	}
	for name, field := range map[string]*string{"access_key_id": &q.Keys.ID, "secret_access_key": &q.Keys.Secret, "session_token": &q.Keys.Token} {
		if v, ok := named[name]; ok {
			*field = v
		}
	}
	if q.Keys.ID == "" != (q.Keys.Secret == "") {
		return q, sqlerr.New(sqlerr.BadArguments, "Table function %s takes both access_key_id and secret_access_key, or neither", call.Name)
	}
	return q, described(&q, args)
}

// storedNames are the arguments of s3 that may be given by name.
var storedNames = []string{"format", "structure", "compression_method", "compression", "access_key_id", "secret_access_key", "session_token"}

// storedArgs are the arguments of s3 by their places, one at least, and by name.
func storedArgs(call analyze.TableCall) (args []string, named map[string]string, err error) {
	named = map[string]string{}
	for i, a := range call.Args {
		if a.Call != nil {
			return nil, nil, sqlerr.New(sqlerr.NotImplemented, "%s(…) as an argument of table function %s is not supported", a.Call.Name, call.Name)
		}
		text, err := nameArg(call, i)
		if err != nil {
			return nil, nil, err
		}
		name := strings.ToLower(a.Name)
		if name == "compression" {
			name = "compression_method"
		}
		switch {
		case name == "" && len(named) > 0:
			return nil, nil, sqlerr.New(sqlerr.BadArguments, "Arguments of table function %s without a name stand before those with one", call.Name)
		case name == "":
			args = append(args, text)
		case !slices.Contains(storedNames, name):
			return nil, nil, sqlerr.New(sqlerr.BadArguments, "Unknown argument %s of table function %s", a.Name, call.Name)
		default:
			named[name] = text
		}
	}
	if len(args) == 0 {
		return nil, nil, wrongStored(call)
	}
	return args, named, nil
}

func wrongStored(call analyze.TableCall) error {
	return sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "The signature of table function %s shall be the following: url [, NOSIGN | access_key_id, secret_access_key [, session_token]] [, format [, structure [, compression_method]]]", call.Name)
}

// isFormat tells a format from a key.
func isFormat(s string) bool {
	_, err := format.Lookup(s)
	return strings.EqualFold(s, "auto") || !sqlerr.Is(err, sqlerr.UnknownFormat)
}
