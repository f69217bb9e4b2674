package client

import (
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// options is what the command line asks for.
type options struct {
	host, user, password, database string
	port                           int
	secure, insecure, askPassword  bool
	authority                      string // file of certificates that vouch for the server's
	compression                    string // "", "1" or "0"; empty: unless the server is on this machine

	queries     []string
	queriesFile string
	format      string
	vertical    bool
	progress    string // "", "1" or "0"; empty: only when standard error is a terminal
	time, echo  bool
	help        bool

	external []external        // tables that go with every query
	params   map[string]string // param_x
	settings map[string]string
}

const usage = `Usage: olapd client [options]

Runs SQL: from --query, from standard input, or typed in at a prompt.

Connection:
  -h, --host HOST           server (127.0.0.1)
      --port PORT           its port of the native protocol (9000; 9440 with --secure)
  -u, --user NAME           user (default)
      --password TEXT       password; better the variable OLAPD_PASSWORD
      --ask-password        type the password in
  -d, --database NAME       current database
  -s, --secure              use TLS
      --ca-certificate FILE verify the server's certificate by this one, not by the system's
      --accept-invalid-certificate   do not verify the server's certificate
      --compression=1|0     compress what travels (unless the server is on this machine)

Queries:
  -q, --query TEXT          run these statements and exit; may be repeated
      --queries-file FILE   run the statements of a file and exit
  -n, --multiquery          several statements separated by ';' (always on)
      --param_NAME=VALUE    value of {NAME:Type} in the queries
      --SETTING=VALUE       any setting, such as --max_threads=4

External tables, which go with every query; the options just behind --external describe one:
      --external --file=PATH [--name=_data] [--format=TabSeparated] --structure='a UInt8, b String' | --types=UInt8,String

Output:
  -f, --format NAME         format of results (PrettyCompact in a terminal, else TabSeparated)
  -E, --vertical            the same as --format=Vertical
      --progress[=1|0]      progress bar on standard error (on in a terminal)
  -t, --time                print each query's seconds to standard error
      --echo                print each query before it runs
      --help                print this text

INSERT ... FORMAT X takes its data from the query, from FROM INFILE 'path', or from standard input.
The exit code is the error's code modulo 256.
`

// shorts are the long names of one-letter options.
var shorts = map[byte]string{
	'h': "host", 'u': "user", 'd': "database", 's': "secure", 'q': "query", 'n': "multiquery", 'f': "format", 'E': "vertical", 't': "time",
}

// parseOptions reads the command line. Errors have the code BadArguments.
func parseOptions(args []string) (*options, error) {
	o := &options{
		host: "127.0.0.1", user: "default", password: os.Getenv("OLAPD_PASSWORD"),
		params: map[string]string{}, settings: map[string]string{},
	}
	table := false // the options before this one describe an external table
	for len(args) > 0 {
		name, value, given, err := splitArgument(args[0])
		if err != nil {
			return nil, err
		}
		args = args[1:]
		if name == "external" {
			o.external = append(o.external, external{name: "_data", format: "TabSeparated"})
			table = true
			continue
		}
		var field *string
		if table {
			field = o.external[len(o.external)-1].field(name)
			table = field != nil
		}
		if flag := o.flags()[name]; flag != nil {
			*flag = !given || value != "0" && value != "false"
			continue
		}
		switch name {
		case "multiquery":
			continue
		case "progress":
			if o.progress = value; !given {
				o.progress = "1"
			}
			continue
		}
		if !given {
			if len(args) == 0 {
				return nil, sqlerr.New(sqlerr.BadArguments, "Option --%s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		if field != nil {
			*field = value
			continue
		}
		if err := o.set(name, value); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// flags are the options without a value.
func (o *options) flags() map[string]*bool {
	return map[string]*bool{
		"secure": &o.secure, "accept-invalid-certificate": &o.insecure, "ask-password": &o.askPassword, "vertical": &o.vertical,
		"time": &o.time, "echo": &o.echo, "help": &o.help,
	}
}

// splitArgument takes --name=value, --name, -qvalue and -q apart.
func splitArgument(arg string) (name, value string, given bool, err error) {
	if long, ok := strings.CutPrefix(arg, "--"); ok && long != "" {
		name, value, given = strings.Cut(long, "=")
		return name, value, given, nil
	}
	if len(arg) >= 2 && arg[0] == '-' && shorts[arg[1]] != "" {
		value := strings.TrimPrefix(arg[2:], "=")
		return shorts[arg[1]], value, len(arg) > 2, nil
	}
	return "", "", false, sqlerr.New(sqlerr.BadArguments, "Unknown argument %q; see olapd client --help", arg)
}

// set takes an option that has a value.
func (o *options) set(name, value string) error {
	text := map[string]*string{
		"host": &o.host, "user": &o.user, "password": &o.password, "database": &o.database, "format": &o.format, "queries-file": &o.queriesFile,
		"ca-certificate": &o.authority, "compression": &o.compression,
	}
	switch {
	case text[name] != nil:
		*text[name] = value
	case name == "query":
		o.queries = append(o.queries, value)
	case name == "port":
		port, err := strconv.ParseUint(value, 10, 16)
		if err != nil || port == 0 {
			return sqlerr.New(sqlerr.BadArguments, "Bad port %q", value)
		}
		o.port = int(port)
	case strings.HasPrefix(name, "param_"):
		o.params[strings.TrimPrefix(name, "param_")] = value
	default:
		o.settings[strings.ReplaceAll(name, "-", "_")] = value
	}
	return nil
}

// address is host:port of the server.
func (o *options) address() string {
	port := o.port
	switch {
	case port != 0:
	case o.secure:
		port = 9440
	default:
		port = 9000
	}
	return net.JoinHostPort(o.host, strconv.Itoa(port))
}

// compressed reports whether blocks travel compressed: within a machine it would only cost time.
func (o *options) compressed() bool {
	if o.compression != "" {
		return o.compression != "0" && o.compression != "false"
	}
	ip := net.ParseIP(o.host)
	return o.host != "localhost" && (ip == nil || !ip.IsLoopback())
}
