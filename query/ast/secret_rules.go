package ast

import (
	"regexp"
	"slices"
	"strings"
)

// at is the rule of calls whose argument i is a secret.
func at(i int) secretRule {
	return func(args []Expr) []Secret {
		if i >= len(args) {
			return nil
		}
		return []Secret{{args[i], Hidden}}
	}
}

// from is the rule of calls whose arguments from i on are secrets, shown as one.
func from(i int) secretRule {
	return func(args []Expr) []Secret {
		var out []Secret
		text := Hidden
		for _, a := range args[min(i, len(args)):] {
			out = append(out, Secret{a, text})
			text = ""
		}
		return out
	}
}

// skip is a rule for the arguments after the first n.
func skip(n int, r secretRule) secretRule {
	return func(args []Expr) []Secret { return r(args[min(n, len(args)):]) }
}

// namedOr is a rule for calls by position; where the first argument names a collection, and in name = value, the name says what is secret.
func namedOr(name string, r secretRule) secretRule {
	return func(args []Expr) []Secret {
		out := namedSecrets(args, name)
		if len(args) > 0 && !isIdent(args[0]) && !isNamed(args[0]) {
			out = append(out, r(args)...)
		}
		return out
	}
}

// namedSecrets are the values of the arguments name = value.
func namedSecrets(args []Expr, names ...string) []Secret {
	var out []Secret
	for _, a := range args {
		if c, ok := a.(*FuncCall); ok && isNamed(a) && slices.Contains(names, textOf(c.Args[0])) {
			out = append(out, Secret{c.Args[1], Hidden})
		}
	}
	return out
}

// isNamed reports whether an argument is name = value.
func isNamed(e Expr) bool {
	c, ok := e.(*FuncCall)
	return ok && c.Name == "equals" && len(c.Args) == 2
}

func isIdent(e Expr) bool {
	_, ok := e.(*Ident)
	return ok
}

// textOf is the text of a string literal or identifier; "" of others.
func textOf(e Expr) string {
	switch e := e.(type) {
	case *Ident:
		return joinParts(e)
	case *Literal:
		return e.Str
	}
	return ""
}

func isString(e Expr) bool {
	l, ok := e.(*Literal)
	return ok && l.Kind == LiteralString
}

// remoteSecrets: remote(addresses, db.table | db, table | function(), user, password, key). Any string after the user may be the password,
// and any at all where the second argument does not say which of these it is.
func remoteSecrets(args []Expr) []Secret {
	if out := namedSecrets(args, "password"); out != nil || len(args) < 3 {
		return out
	}
	user := 2
	switch e := args[1].(type) {
	case *FuncCall:
		return strs(args[3:]) // of a function that yields the database's name the user is hidden too
	case *Ident:
		if len(e.Parts) < 2 {
			user = 3
		}
	case *Literal:
		if !strings.Contains(e.Str, ".") {
			user = 3
		}
	default:
		return strs(args[2:])
	}
	return strs(args[min(user+1, len(args)):])
}

// strs has all strings among the arguments hidden.
func strs(args []Expr) []Secret {
	var out []Secret
	for _, a := range args {
		if isString(a) {
			out = append(out, Secret{a, Hidden})
		}
	}
	return out
}

// withoutMaps is the arguments without headers(…) and extra_credentials(…) at their end, and the values of the former, which are secrets.
func withoutMaps(args []Expr) ([]Expr, []Secret) {
	var out []Secret
	var rest []Expr
	for _, a := range args {
		c, ok := a.(*FuncCall)
		switch {
		case ok && c.Name == "headers":
			for _, h := range c.Args {
				if isNamed(h) {
					out = append(out, Secret{h.(*FuncCall).Args[1], Hidden})
				} else {
					out = append(out, Secret{h, Hidden})
				}
			}
		case ok && c.Name == "extra_credentials":
		default:
			rest = append(rest, a)
		}
	}
	return rest, out
}

// urlSecrets: url(address, format, structure, headers('name' = 'value')).
func urlSecrets(args []Expr) []Secret {
	rest, out := withoutMaps(args)
	return append(out, addressSecrets(rest)...)
}

// s3Secrets: s3(url, [NOSIGN | key id, secret key, [session token]], format, structure, compression), or a collection with name = value.
func s3Secrets(args []Expr) []Secret {
	rest, out := withoutMaps(args)
	out = append(out, addressSecrets(rest)...)
	out = append(out, namedSecrets(rest, "secret_access_key", "session_token")...)
	var plain []Expr // by position
	for _, a := range rest {
		if !isNamed(a) {
			plain = append(plain, a)
		}
	}
	if len(plain) < 3 || isIdent(plain[0]) {
		return out
	}
	if second := textOf(plain[1]); strings.EqualFold(second, "NOSIGN") || isFormat(second) {
		return out
	}
	out = append(out, Secret{plain[2], Hidden})
	if len(plain) > 3 && !isFormat(textOf(plain[3])) { // a session token
		out = append(out, Secret{plain[3], Hidden})
	}
	return out
}

// azureKeys are what is secret in a connection string.
var azureKeys = regexp.MustCompile(`(AccountKey|SharedAccessSignature)=[^;]*`)

// azureSecrets: azureBlobStorage(connection string | account's url, container, path, account, key, format, compression, structure).
func azureSecrets(args []Expr) []Secret {
	var out []Secret
	for _, a := range args {
		v := a
		if isNamed(a) {
			v = a.(*FuncCall).Args[1]
		}
		if l, ok := v.(*Literal); ok && azureKeys.MatchString(l.Str) {
			out = append(out, Secret{l, azureKeys.ReplaceAllString(l.Str, "$1="+Hidden)})
		}
	}
	out = append(out, namedSecrets(args, "account_key")...)
	if len(args) > 4 && !isIdent(args[0]) && !isNamed(args[4]) && !isFormat(textOf(args[3])) {
		out = append(out, Secret{args[4], Hidden})
	}
	return out
}

// mongoSecrets: MongoDB(host, database, collection, user, password), or one with an address that may have a password.
func mongoSecrets(args []Expr) []Secret {
	return append(addressSecrets(args), namedOr("password", at(4))(args)...)
}

// mysqlEngineSecrets: MySQL(host, database, user, password) of a database, MySQL(host, database, table, user, password) of a table.
func mysqlEngineSecrets(args []Expr) []Secret {
	i := 4
	if len(args) == 4 {
		i = 3
	}
	return namedOr("password", at(i))(args)
}

// addressPassword is the password in an address such as http://user:password@host.
var addressPassword = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9+.-]*://[^/:@?#]*):[^/?#]*@`)

// addressSecrets hides the passwords in addresses among the arguments, and in values of name = address.
func addressSecrets(args []Expr) []Secret {
	var out []Secret
	for _, a := range args {
		if isNamed(a) {
			a = a.(*FuncCall).Args[1]
		}
		out = append(out, addressSecret(a)...)
	}
	return out
}

func addressSecret(e Expr) []Secret {
	if l, ok := e.(*Literal); ok && l.Kind == LiteralString && addressPassword.MatchString(l.Str) {
		return []Secret{{l, addressPassword.ReplaceAllString(l.Str, "$1:"+Hidden+"@")}}
	}
	return nil
}

// isFormat reports whether an argument that may be a key's is the name of a format.
func isFormat(name string) bool { return name == "auto" || formatNames[strings.ToLower(name)] }

// formatNames are ClickHouse's formats in lower case.
var formatNames = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`Arrow ArrowStream Avro AvroConfluent BSONEachRow Buffers CapnProto CSV CSVWithNames CSVWithNamesAndTypes CustomSeparated
		CustomSeparatedIgnoreSpaces CustomSeparatedIgnoreSpacesWithNames CustomSeparatedIgnoreSpacesWithNamesAndTypes CustomSeparatedWithNames
		CustomSeparatedWithNamesAndTypes DWARF Form Hash HiveText JSON JSONAsObject JSONAsString JSONColumns JSONColumnsWithMetadata JSONCompact
		JSONCompactColumns JSONCompactEachRow JSONCompactEachRowWithNames JSONCompactEachRowWithNamesAndTypes JSONCompactEachRowWithProgress
		JSONCompactStrings JSONCompactStringsEachRow JSONCompactStringsEachRowWithNames JSONCompactStringsEachRowWithNamesAndTypes
		JSONCompactStringsEachRowWithProgress JSONEachRow JSONEachRowWithProgress JSONLines JSONObjectEachRow JSONStrings JSONStringsEachRow
		JSONStringsEachRowWithProgress LineAsString LineAsStringWithNames LineAsStringWithNamesAndTypes Markdown MsgPack MySQLDump MySQLWire NDJSON Native Npy
		Null ODBCDriver2 ORC One Parquet ParquetMetadata PostgreSQLWire Pretty PrettyCompact PrettyCompactMonoBlock PrettyCompactNoEscapes
		PrettyCompactNoEscapesMonoBlock PrettyJSONEachRow PrettyJSONLines PrettyMonoBlock PrettyNDJSON PrettyNoEscapes PrettyNoEscapesMonoBlock PrettySpace
		PrettySpaceMonoBlock PrettySpaceNoEscapes PrettySpaceNoEscapesMonoBlock Prometheus Protobuf ProtobufList ProtobufSingle Raw RawBLOB RawWithNames
		RawWithNamesAndTypes Regexp RowBinary RowBinaryWithDefaults RowBinaryWithNames RowBinaryWithNamesAndTypes SQLInsert TSKV TSV TSVRaw TSVRawWithNames
		TSVRawWithNamesAndTypes TSVWithNames TSVWithNamesAndTypes TabSeparated TabSeparatedRaw TabSeparatedRawWithNames TabSeparatedRawWithNamesAndTypes
		TabSeparatedWithNames TabSeparatedWithNamesAndTypes Template TemplateIgnoreSpaces Values Vertical XML`) {
		m[strings.ToLower(w)] = true
	}
	return m
}()
