package ast

import (
	"regexp"
	"slices"
	"strings"
)

// Hidden is what stands in shown texts for what may not be seen.
const Hidden = "[HIDDEN]"

// A Secret is an argument, or another value of a statement, that is not shown: passwords, keys, headers. Text is the string that is shown instead,
// once for arguments that are secrets one behind the other: the others have none.
type Secret struct {
	Expr Expr
	Text string
}

// secretRule finds the secrets among the arguments of a call.
type secretRule func(args []Expr) []Secret

// functionSecrets are the rules of functions and table functions, by their names in lower case. Whoever adds a function that takes a secret
// adds it here, and has it hidden in listings, logs, names of columns, EXPLAIN and errors.
var functionSecrets = map[string]secretRule{
	"encrypt": from(1), "decrypt": from(1), "trydecrypt": from(1), "aes_encrypt_mysql": from(1), "aes_decrypt_mysql": from(1),
	"hmac":   at(2),
	"remote": remoteSecrets, "remotesecure": remoteSecrets,
	"mysql": namedOr("password", at(4)), "postgresql": namedOr("password", at(4)), "redis": namedOr("password", at(4)), "mongodb": mongoSecrets,
	"url": urlSecrets, "urlcluster": skip(1, urlSecrets),
	"s3": s3Secrets, "gcs": s3Secrets, "oss": s3Secrets, "cosn": s3Secrets, "hudi": s3Secrets, "deltalake": s3Secrets, "deltalakes3": s3Secrets,
	"iceberg": s3Secrets, "icebergs3": s3Secrets, "paimon": s3Secrets, "paimons3": s3Secrets,
	"s3cluster": skip(1, s3Secrets), "icebergs3cluster": skip(1, s3Secrets), "icebergcluster": skip(1, s3Secrets),
	"deltalakecluster": skip(1, s3Secrets), "hudicluster": skip(1, s3Secrets),
	"azureblobstorage": azureSecrets, "icebergazure": azureSecrets, "deltalakeazure": azureSecrets,
	"azureblobstoragecluster": skip(1, azureSecrets), "icebergazurecluster": skip(1, azureSecrets),
}

// engineSecrets are the rules of the engines of tables and databases and of the places of backups.
var engineSecrets = map[string]secretRule{
	"URL": urlSecrets,
	"S3":  s3Secrets, "GCS": s3Secrets, "OSS": s3Secrets, "COSN": s3Secrets, "S3Queue": s3Secrets, "DeltaLake": s3Secrets, "DeltaLakeS3": s3Secrets, "Hudi": s3Secrets,
	"Iceberg": s3Secrets, "IcebergS3": s3Secrets, "DataLakeCatalog": s3Secrets,
	"AzureBlobStorage": azureSecrets, "AzureQueue": azureSecrets, "IcebergAzure": azureSecrets,
	"MySQL": mysqlEngineSecrets, "PostgreSQL": mysqlEngineSecrets, "MaterializedPostgreSQL": mysqlEngineSecrets, "MongoDB": mongoSecrets,
	"ExternalDistributed": skip(1, namedOr("password", at(4))), "Redis": namedOr("password", at(2)),
}

// secretWords end the names of settings that hold secrets, in any case.
var secretWords = []string{"password", "secret", "secret_access_key", "access_token", "_token", "account_key", "private_key", "credential"}

// isSecretSetting reports whether a setting's value is not shown.
func isSecretSetting(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretWords, func(w string) bool { return strings.HasSuffix(name, w) })
}

// IsDictionarySecret reports whether a value of a source must not be shown: a password, a key, or what a header is set to, which may hold one.
func IsDictionarySecret(name string) bool {
	return strings.EqualFold(name, "value") || isSecretSetting(name)
}

// CallSecrets are the secrets among the arguments of a function or table function.
func CallSecrets(name string, args []Expr) []Secret {
	if r := functionSecrets[strings.ToLower(name)]; r != nil {
		return r(args)
	}
	return nil
}

// SecretFrom is the first argument of a scalar function that is a secret, as all after it are; -1 if none is.
func SecretFrom(function string) int {
	switch strings.ToLower(function) {
	case "encrypt", "decrypt", "trydecrypt", "aes_encrypt_mysql", "aes_decrypt_mysql":
		return 1
	case "hmac":
		return 2
	}
	return -1
}

// Secrets are those of a node and of all below it, in the order of the text; what CREATE USER and ALTER USER say is not among them (HasPassword).
func Secrets(n Node) []Secret {
	var out []Secret
	note := func(found []Secret) bool {
		out = append(out, found...)
		return true
	}
	Walk(n, func(n Node) bool {
		switch n := n.(type) {
		case *FuncCall:
			return note(CallSecrets(n.Name, n.Args))
		case *Backup:
			note(placeSecrets(n.Place))
			return note(placeSecrets(n.Base))
		case *Engine:
			if r := engineSecrets[n.Name]; r != nil {
				note(r(n.Args))
			}
		case *DictionaryParam:
			if n.Value != nil {
				return note(namedSecret(n.Name, n.Value, IsDictionarySecret(n.Name)))
			}
		}
		for _, s := range settingsOf(n) {
			if s.Value != nil {
				note(namedSecret(s.Name, s.Value, isSecretSetting(s.Name)))
			}
		}
		return true
	})
	slices.SortStableFunc(out, func(a, b Secret) int { return a.Expr.Span().Start - b.Expr.Span().Start })
	return out
}

func placeSecrets(f *FuncCall) []Secret {
	if f == nil || engineSecrets[f.Name] == nil {
		return nil
	}
	return engineSecrets[f.Name](f.Args)
}

// namedSecret is the secret that a value under a name is or, as the address of a server, holds.
func namedSecret(name string, value Expr, secret bool) []Secret {
	if secret {
		return []Secret{{value, Hidden}}
	}
	return addressSecret(value)
}

// ShownSetting is the value of a setting as it may be shown.
func ShownSetting(name, value string) string {
	for _, s := range namedSecret(name, &Literal{Kind: LiteralString, Str: value}, isSecretSetting(name)) {
		return s.Text
	}
	return value
}

// settingsOf are the settings that a node has, not those of what is below it.
func settingsOf(n Node) []Setting {
	switch n := n.(type) {
	case *CreateTable:
		return n.Settings
	case *CreateDatabase:
		return n.Settings
	case *CreateDictionary:
		return n.Settings
	case *AlterCommand:
		return n.Settings
	case *Select:
		return n.Settings
	case *Insert:
		return n.Settings
	case *TableFunction:
		return n.Settings
	case *Backup:
		return n.Settings
	case *Set:
		return n.Settings
	case *Alter:
		return n.Settings
	case Tailed:
		return n.Tail().Settings
	}
	return nil
}

// HasPassword reports whether a statement says how a user is identified.
func HasPassword(s Statement) bool {
	found := false
	Walk(s, func(n Node) bool {
		c, ok := n.(*AccessChange)
		found = found || ok && c.Auth != nil
		return !found
	})
	return found
}

// Shown is Format without secrets: what logs, listings and errors have.
func Shown(n Node) string {
	p := printer{hide: true}
	for _, s := range Secrets(n) {
		if p.secrets == nil {
			p.secrets = map[Expr]string{}
		}
		p.secrets[s.Expr] = s.Text
	}
	p.node(n)
	return p.String()
}

// ShownText is the text of a statement, or a part of it, without secrets; n is what it was parsed to.
func ShownText(n Node, text string) string {
	if s, ok := n.(Statement); ok && HasPassword(s) {
		return Shown(n)
	}
	var b strings.Builder
	done := 0
	for _, s := range Secrets(n) {
		r := s.Expr.Span()
		if r.Start < done || r.End > len(text) || r.Start >= r.End { // inside of one that is hidden as a whole
			continue
		}
		if s.Text != "" {
			b.WriteString(text[done:r.Start] + QuoteString(s.Text))
		}
		done = r.End
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// mayHide finds the words after which a text that cannot be parsed may have a secret.
var mayHide = func() *regexp.Regexp {
	words := []string{"source"}
	for name := range functionSecrets {
		words = append(words, name)
	}
	for name := range engineSecrets {
		words = append(words, strings.ToLower(name))
	}
	slices.Sort(words)
	return regexp.MustCompile(`(?i)\bidentified\b|\b(` + strings.Join(slices.Compact(words), "|") + `)["` + "`" + `]?\s*\(|(` + strings.Join(secretWords, "|") + `)["` + "`" + `]?\s*=|://[^/\s@']*@`)
}()

// MayHide reports whether a text has words that secrets stand behind. One without them has no secret that Secrets would find.
func MayHide(text string) bool { return mayHide.MatchString(text) }

// Cut is a text that cannot be parsed up to where a secret may begin.
func Cut(text string) string {
	if at := mayHide.FindStringIndex(text); at != nil {
		end := at[1]
		if strings.HasPrefix(text[at[0]:], "://") { // what is found has the password
			end = at[0]
		}
		return text[:end] + " " + Hidden
	}
	return text
}
