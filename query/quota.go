package query

import (
	"hash/fnv"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/virtual"
)

// quotas counts what users take, on this node, since the start of each interval. It lives in memory.
type quotas struct {
	mu struct {
		sync.Mutex
		use map[quotaKey]*quotaUse
	}
}

// quotaKey is one key of one interval of a quota.
type quotaKey struct {
	quota, key string
	seconds    int64
}

type quotaUse struct {
	start, end time.Time
	used       map[string]uint64 // by resource
}

// maxQuotaKeys bounds the keys counted at once: addresses are the clients' to choose.
const maxQuotaKeys = 100_000

// account is one query's access to its quota; nil counts nothing.
type account struct {
	quotas *quotas
	quota  *access.Quota
	user   string
	key    string
	now    func() time.Time
}

// account returns the user's, or nil if no quota applies.
func (q *quotas) account(en *access.Enabled, address string, now func() time.Time) *account {
	if en.Quota == nil {
		return nil
	}
	return &account{quotas: q, quota: en.Quota, user: en.User.Name, key: quotaKeyOf(en.Quota, en.User.Name, address), now: now}
}

// quotaKeyOf is what a quota counts apart. Keys that clients would have to send are those of their user.
func quotaKeyOf(q *access.Quota, user, address string) string {
	switch {
	case len(q.Keys) == 0:
		return ""
	case slices.ContainsFunc(q.Keys, func(k string) bool { return k == "ip_address" || k == "forwarded_ip_address" }) && !slices.Contains(q.Keys, "user_name"):
		if host, _, err := net.SplitHostPort(address); err == nil {
			return host
		}
		return address
	}
	return user
}

// add counts what was taken and returns QuotaExceeded if it is more than an interval allows of any resource.
func (a *account) add(took map[string]uint64) error {
	if a == nil {
		return nil
	}
	now := a.now()
	a.quotas.mu.Lock()
	defer a.quotas.mu.Unlock()
	var err error
	for i := range a.quota.Intervals {
		x := &a.quota.Intervals[i]
		u := a.quotas.useLocked(quotaKey{a.quota.Name, a.key, x.Seconds}, x, now)
		for name, n := range took {
			u.used[name] += n
		}
		for _, name := range access.Resources {
			if limit, ok := x.Max[name]; ok && u.used[name] > limit && err == nil {
				err = a.exceeded(name, u, x)
			}
		}
	}
	return err
}

// over returns QuotaExceeded if all that an interval allows of a resource has been taken.
func (a *account) over(resource string) error {
	if a == nil {
		return nil
	}
	a.quotas.mu.Lock()
	defer a.quotas.mu.Unlock()
	for i := range a.quota.Intervals {
		x := &a.quota.Intervals[i]
		u := a.quotas.useLocked(quotaKey{a.quota.Name, a.key, x.Seconds}, x, a.now())
		if limit, ok := x.Max[resource]; ok && u.used[resource] >= limit && limit > 0 {
			return a.exceeded(resource, u, x)
		}
	}
	return nil
}

// reset forgets what was counted of a resource.
func (a *account) reset(resource string) {
	if a == nil {
		return
	}
	a.quotas.mu.Lock()
	defer a.quotas.mu.Unlock()
	for i := range a.quota.Intervals {
		x := &a.quota.Intervals[i]
		delete(a.quotas.useLocked(quotaKey{a.quota.Name, a.key, x.Seconds}, x, a.now()).used, resource)
	}
}

func (a *account) exceeded(resource string, u *quotaUse, x *access.Interval) error {
	return sqlerr.New(sqlerr.QuotaExceeded, "Quota for user %s for %ds has been exceeded: %s = %s/%s. Interval will end at %s. Name of quota template: %s",
		"`"+a.user+"`", x.Seconds, resource, define.LimitText(resource, u.used[resource]), define.LimitText(resource, x.Max[resource]),
		u.end.UTC().Format(time.DateTime), "`"+a.quota.Name+"`")
}

// useLocked is the present interval of a key. REQUIRES: q.mu.
func (q *quotas) useLocked(k quotaKey, x *access.Interval, now time.Time) *quotaUse {
	if u := q.mu.use[k]; u != nil && now.Before(u.end) {
		return u
	}
	if q.mu.use == nil {
		q.mu.use = map[quotaKey]*quotaUse{}
	}
	if len(q.mu.use) >= maxQuotaKeys {
		maps.DeleteFunc(q.mu.use, func(_ quotaKey, u *quotaUse) bool { return !now.Before(u.end) })
	}
	if len(q.mu.use) >= maxQuotaKeys {
		clear(q.mu.use) // rather count anew than hold more
	}
	offset := int64(0)
	if x.Randomized { // the same for a key at all times
		h := fnv.New64a()
		h.Write([]byte(k.quota + "\x00" + k.key)) // never fails
		offset = int64(h.Sum64() % uint64(max(x.Seconds, 1)))
	}
	start := (now.Unix()-offset)/max(x.Seconds, 1)*max(x.Seconds, 1) + offset
	u := &quotaUse{start: time.Unix(start, 0), end: time.Unix(start+x.Seconds, 0), used: map[string]uint64{}}
	q.mu.use[k] = u
	return u
}

// uses lists what is counted: the reader's quota, and the others of the node.
func (q *quotas) uses(en *access.Enabled, now time.Time) []virtual.QuotaUse {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []virtual.QuotaUse
	own := ""
	if en.Quota != nil {
		own = quotaKeyOf(en.Quota, en.User.Name, "")
		if len(en.Quota.Intervals) == 0 {
			out = append(out, virtual.QuotaUse{Quota: en.Quota.Name, Key: own, Current: true})
		}
	}
	for k, u := range q.mu.use {
		quota := en.State.Quota(k.quota)
		if quota == nil || !now.Before(u.end) {
			continue
		}
		i := slices.IndexFunc(quota.Intervals, func(x access.Interval) bool { return x.Seconds == k.seconds })
		if i < 0 {
			continue
		}
		out = append(out, virtual.QuotaUse{Quota: k.quota, Key: k.key, Current: en.Quota != nil && k.quota == en.Quota.Name && (k.key == own || len(quota.Keys) == 0),
			Interval: &quota.Intervals[i], Start: u.start, End: u.end, Used: maps.Clone(u.used)})
	}
	return out
}
