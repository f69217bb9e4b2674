package node

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/ingest"
	"github.com/olapd/olapd/internal/backup"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query/files"
	"github.com/olapd/olapd/query/remote"
	"github.com/olapd/olapd/server"
	"gopkg.in/yaml.v3"
)

// Config is how one olapd is set up. The YAML file comes first, OLAPD_… in the environment
// goes over it, flags over that.
type Config struct {
	Data   string `yaml:"data"`   // directory of everything stored
	HTTP   string `yaml:"http"`   // address of the HTTP interface; empty: none
	Native string `yaml:"native"` // address of the native protocol; empty: none
	Admin  string `yaml:"admin"`  // address of profiling; empty: none
	// HTTPS and NativeTLS are the addresses of the same two over TLS; empty: none. TLSCert and TLSKey name the PEM files of the
	// certificate, with its chain, and of its key.
	HTTPS     string `yaml:"https"`
	NativeTLS string `yaml:"native_tls"`
	TLSCert   string `yaml:"tls_cert"`
	TLSKey    string `yaml:"tls_key"`
	// Cluster is the address at which other nodes of the cluster are listened for; empty: where the node was told to when it joined, or
	// port 9010. Advertise is what others are told; empty: Cluster, or the address of the interface that leads to them.
	Cluster   string `yaml:"cluster"`
	Advertise string `yaml:"advertise"`
	// Join is the address of a node of the cluster to join, on the first start, with the Token.
	Join     string `yaml:"join"`
	Token    string `yaml:"token"`
	TimeZone string `yaml:"timezone"`  // of DateTime without one; kept for the life of the data
	Name     string `yaml:"name"`      // display name
	LogLevel string `yaml:"log_level"` // debug, info, warn, error
	// Memory is the limit of all that is accounted for, in bytes; 0: three quarters of the machine's.
	Memory int64 `yaml:"memory"`
	// Cache is the bytes of pages and dictionaries kept as long as nothing else needs the memory; 0: half of Memory.
	Cache int64 `yaml:"cache"`
	// LogFile is the bytes of a file of the log, SnapshotLog those of the log that bring on a Raft snapshot; 0: 64 MiB.
	LogFile     int64 `yaml:"log_file"`
	SnapshotLog int64 `yaml:"snapshot_log"`

	// Backups is the folder below which BACKUP and RESTORE may name files; empty: backups in Data. S3Hosts are the hosts, or host:port,
	// that they may connect to for S3; none unless they are named.
	Backups string   `yaml:"backups"`
	S3Hosts []string `yaml:"s3_hosts"`
	// RemoteHosts are those that remote(), url() and s3() may connect to: see remote.Reach. This node's native protocol is allowed.
	RemoteHosts []string `yaml:"remote_hosts"`
	// S3Environment lets s3() of any user sign by the keys in the environment, where the query gives none.
	S3Environment bool `yaml:"s3_environment_credentials"`

	// UserFiles is the folder whose files queries may read and write with file(); empty: user_files in Data.
	UserFiles string `yaml:"user_files"`

	// FormatSchemas is the folder whose files format_schema may name; empty: format_schemas in Data.
	FormatSchemas string `yaml:"format_schemas"`

	Users    map[string]UserConfig `yaml:"users"`
	Settings map[string]string     `yaml:"settings"` // defaults of every session
	// CustomSettings are prefixes of the names of settings that clients may make up, for getSetting; none unless they are named.
	CustomSettings []string `yaml:"custom_settings_prefixes"`

	// FS, Clock, Logger and Network are for tests; nil means the real ones.
	FS      vfs.FS       `yaml:"-"`
	Clock   clock.Clock  `yaml:"-"`
	Logger  *slog.Logger `yaml:"-"`
	Network rpc.Network  `yaml:"-"`

	node   string   // its name in the cluster; empty: alone
	fences []string // tests switch these of the cluster off
	// onMove is called by whoever moves rows between shards, before each step; tests stop nodes there. nil: nothing.
	onMove func(node string, move uint64, before string)
	// kafkaDial opens connections to brokers, for tests; nil: TCP.
	kafkaDial ingest.DialFunc
	// logRows is what an INSERT of more bytes is built into segments for; 0: cluster.LogRowsBytes.
	logRows int64
	// pause is cluster.Config.Pause.
	pause func()
	// commitInterval is cluster.Config.CommitInterval.
	commitInterval time.Duration
	// levelsBehind is cluster.Config.LevelsBehind.
	levelsBehind int
}

// DefaultNative is where LoadConfig has clients of the native protocol served, unless something else listens there: another
// server on the machine is a reason to do without, not to fail.
const DefaultNative = "127.0.0.1:9000"

// DefaultConfig is what an empty file means, but for Native, which is empty.
func DefaultConfig() Config {
	return Config{Data: "./data", HTTP: "127.0.0.1:8123", TimeZone: "UTC", Name: "olapd", LogLevel: "info"}
}

// option is one value that file, environment and flags may set.
type option struct {
	name, usage string
	set         func(c *Config, text string) error
}

func text(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error {
		*field(c) = s
		return nil
	}
}

func size(field func(*Config) *int64) func(*Config, string) error {
	return func(c *Config, s string) error {
		n, err := parseSize(s)
		*field(c) = n
		return err
	}
}

var options = []option{
	{"data", "`directory` of everything stored (./data)", text(func(c *Config) *string { return &c.Data })},
	{"http", "`address` of the HTTP interface (127.0.0.1:8123)", text(func(c *Config) *string { return &c.HTTP })},
	{"native", "`address` of the native protocol (127.0.0.1:9000, if it is free)", text(func(c *Config) *string { return &c.Native })},
	{"https", "`address` of the HTTP interface over TLS, such as :8443 (none)", text(func(c *Config) *string { return &c.HTTPS })},
	{"native-tls", "`address` of the native protocol over TLS, such as :9440 (none)", text(func(c *Config) *string { return &c.NativeTLS })},
	{"tls-cert", "PEM `file` of the certificate for --https and --native-tls, with its chain", text(func(c *Config) *string { return &c.TLSCert })},
	{"tls-key", "PEM `file` of its key", text(func(c *Config) *string { return &c.TLSKey })},
	{"admin", "loopback `address` of profiling and metrics (none)", text(func(c *Config) *string { return &c.Admin })},
	{"cluster", "`address` at which other nodes of the cluster are listened for (:9010 for a member of one)", text(func(c *Config) *string { return &c.Cluster })},
	{"advertise", "`address` at which other nodes reach this one (that of --cluster, or of the interface that leads to them)", text(func(c *Config) *string { return &c.Advertise })},
	{"join", "`address` of a node of the cluster to join, on the first start", text(func(c *Config) *string { return &c.Join })},
	{"token", "`token` to join with, of olapd cluster init or olapd cluster token", text(func(c *Config) *string { return &c.Token })},
	{"timezone", "time `zone` of DateTime without one, kept for the life of the data (UTC)", text(func(c *Config) *string { return &c.TimeZone })},
	{"name", "display `name` of the server (olapd)", text(func(c *Config) *string { return &c.Name })},
	{"log-level", "`level`: debug, info, warn or error (info)", text(func(c *Config) *string { return &c.LogLevel })},
	{"memory", "limit in `bytes`, such as 4GiB; 0: three quarters of the machine's", size(func(c *Config) *int64 { return &c.Memory })},
	{"cache", "`bytes` of pages and dictionaries kept while nothing else needs the memory; 0: half of the memory limit", size(func(c *Config) *int64 { return &c.Cache })},
	{"backups", "`directory` below which BACKUP and RESTORE may name files (backups in that of --data)", text(func(c *Config) *string { return &c.Backups })},
	{"format-schemas", "`directory` of the files that format_schema names (format_schemas in that of --data)", text(func(c *Config) *string { return &c.FormatSchemas })},
	{"user-files", "`directory` whose files file() reads and writes (user_files in that of --data)", text(func(c *Config) *string { return &c.UserFiles })},
	{"log-file", "`bytes` that a file of the log grows to; 0: 64MiB", size(func(c *Config) *int64 { return &c.LogFile })},
	{"snapshot-log", "`bytes` of log that bring on a snapshot of the state; 0: 64MiB", size(func(c *Config) *int64 { return &c.SnapshotLog })},
}

// parseSize reads 1024, 512MiB, 4GiB and the like.
func parseSize(s string) (int64, error) {
	units := []struct {
		suffix string
		n      int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"", 1}}
	for _, u := range units {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		var n int64
		if _, err := fmt.Sscanf(digits+"\n", "%d\n", &n); err != nil || n < 0 {
			return 0, fmt.Errorf("%q is no size in bytes; write 1073741824, 512MiB or 4GiB", s)
		}
		return n * u.n, nil
	}
	return 0, nil
}

// LoadConfig reads the flags in args, the file they name with --config, and the environment. flag.ErrHelp if the user asked for help.
func LoadConfig(args []string, environ []string, out io.Writer) (Config, error) {
	c := DefaultConfig()
	c.Native = DefaultNative
	fs := flag.NewFlagSet("olapd server", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() { help(out, fs) }
	file := fs.String("config", "", "YAML `file`; flags and the environment go over it")
	given := map[string]string{}
	for _, o := range options {
		fs.Func(o.name, o.usage, func(s string) error {
			given[o.name] = s
			return nil
		})
	}
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if fs.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if *file != "" {
		if err := c.readFile(*file); err != nil {
			return c, err
		}
	}
	if err := c.override(environ, given); err != nil {
		return c, err
	}
	return c, c.check()
}

const usage = `Usage: olapd server [options]

Runs a node until SIGINT or SIGTERM. Every option but --config is also a variable of the environment (--log-level is
OLAPD_LOG_LEVEL) and a name in the YAML file (log_level), which may hold users and settings too. OLAPD_PASSWORD is the
password of the user default.

`

func help(out io.Writer, fs *flag.FlagSet) {
	fmt.Fprint(out, usage)
	fs.VisitAll(func(f *flag.Flag) {
		value, text := flag.UnquoteUsage(f)
		fmt.Fprintf(out, "  --%-24s %s\n", f.Name+" "+strings.ToUpper(value), text)
	})
}

func (c *Config) readFile(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("config %s: %w", name, err)
	}
	return nil
}

func (c *Config) override(environ []string, given map[string]string) error {
	env := map[string]string{}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok {
			env[k] = v
		}
	}
	for _, o := range options {
		key := "OLAPD_" + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
		if s, ok := env[key]; ok {
			if err := o.set(c, s); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		if s, ok := given[o.name]; ok {
			if err := o.set(c, s); err != nil {
				return fmt.Errorf("--%s: %w", o.name, err)
			}
		}
	}
	if p, ok := env["OLAPD_PASSWORD"]; ok {
		if c.Users == nil {
			c.Users = map[string]UserConfig{}
		}
		u := c.Users["default"]
		u.Password = p
		c.Users["default"] = u
	}
	return nil
}

// check refuses what cannot work, before anything is started.
func (c *Config) check() error {
	if c.Data == "" {
		return errors.New("config: data must name a directory")
	}
	if _, err := types.LoadZone(c.TimeZone); err != nil {
		return fmt.Errorf("config: timezone: %w", err)
	}
	if _, err := c.level(); err != nil {
		return err
	}
	users, err := c.users()
	if err != nil {
		return err
	}
	for _, addr := range []string{c.HTTP, c.Native, c.HTTPS, c.NativeTLS} {
		if addr == "" {
			continue
		}
		if err := server.CheckExposed(addr, users); err != nil {
			return fmt.Errorf("config: %w", err)
		}
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	return c.checkAdmin()
}

// checkTLS refuses addresses that are to be encrypted without a certificate, and half of one.
func (c *Config) checkTLS() error {
	switch both := c.TLSCert != "" && c.TLSKey != ""; {
	case !both && (c.TLSCert != "" || c.TLSKey != ""):
		return errors.New("config: tls_cert and tls_key go together")
	case !both && (c.HTTPS != "" || c.NativeTLS != ""):
		return errors.New("config: https and native_tls need a certificate; set tls_cert and tls_key")
	}
	return nil
}

// checkAdmin refuses an address of profiling that others can reach: it asks for no password.
func (c *Config) checkAdmin() error {
	if c.Admin == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Admin)
	if err != nil {
		return fmt.Errorf("config: admin: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("config: admin: %s can be reached by other machines, and profiling asks for no password; use 127.0.0.1", c.Admin)
	}
	return nil
}

func (c *Config) level() (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return 0, fmt.Errorf("config: log level %q: debug, info, warn or error", c.LogLevel)
	}
	return l, nil
}

// zone returns the server's time zone; check has seen it.
func (c *Config) zone() *time.Location {
	loc, err := types.LoadZone(c.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// reach is what queries may reach beside tables.
func (c *Config) reach(hosts *remote.Reach) *files.Reach {
	folder := c.UserFiles
	if folder == "" {
		folder = filepath.Join(c.Data, "user_files")
	}
	return &files.Reach{FS: c.FS, Folder: folder, Allows: hosts.Allows, Environment: c.S3Environment}
}

// schemas is where the schemas of formats are.
func (c *Config) schemas() *format.Schemas {
	folder := c.FormatSchemas
	if folder == "" {
		folder = filepath.Join(c.Data, "format_schemas")
	}
	return &format.Schemas{FS: c.FS, Folder: folder}
}

// backupPlaces is where backups may be.
func (c *Config) backupPlaces() *backup.Places {
	folder := c.Backups
	if folder == "" {
		folder = filepath.Join(c.Data, "backups")
	}
	return &backup.Places{FS: c.FS, Folder: folder, S3Hosts: c.S3Hosts}
}
