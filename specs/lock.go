package specs

import (
	"strings"
	"time"
)

// The lock's life where none is stated, and its bounds. A shorter one could run
// out while a clock is off or a machine is busy; a longer one keeps everybody
// waiting for a run that died.
const (
	defaultLockLife  = time.Hour
	shortestLockLife = 10 * time.Second
	longestLockLife  = 24 * time.Hour
)

// lock checks where the repository's lock is kept; nil: it has none.
func (s *sink) lock(raw *one[rawLock, *rawLock], repo *Repository) *Lock {
	if raw.pos.Line == 0 {
		return nil
	}
	spec := &raw.value
	lock := &Lock{Bucket: spec.bucket.value, Expires: defaultLockLife, Pos: raw.pos}
	s.check(spec.bucket, "the bucket name", codeBucketName, bucketName)
	if spec.account.ok() {
		var aliases []string
		for _, a := range repo.Accounts {
			aliases = append(aliases, a.Alias)
			if a.Alias == spec.account.value {
				lock.Account = a
			}
		}
		switch {
		case lock.Account == nil:
			s.fail(codeUnknownAccount, spec.account.pos, suggest(spec.account.value, aliases, "add it, or write one of "),
				"account %s is not in %s", quote(spec.account.value), RepositoryFile)
		case !lock.Account.Manage:
			s.fail(codePartner, spec.account.pos, "keep the lock in an account of yours",
				"account %s has manage: false, so no lock can be written there", printable(lock.Account.Alias))
		default:
			lock.Region = lock.Account.Region
		}
	}
	if spec.region.stated() {
		lock.Region = s.region(spec.region, regionPartition(repo.Region))
	}
	if s.check(spec.expires, "expires", codeLock, lockLife) {
		lock.Expires, _ = time.ParseDuration(spec.expires.value)
	}
	return lock
}

func lockLife(v string) (string, string) {
	const form = "write one such as 1h or 30m"
	d, err := time.ParseDuration(v)
	switch {
	case err != nil || strings.HasPrefix(v, "+"):
		return "is no duration", form
	case d < shortestLockLife, d > longestLockLife:
		return "is not between 10s and 24h", form
	}
	return "", ""
}

// sharedLock warns of a share of the bucket that the lock is kept in: who may
// write there may break the lock.
func (s *sink) sharedLock(lock *Lock, shares []*Share) {
	if lock == nil {
		return
	}
	for _, share := range shares {
		if share.Bucket.Name == lock.Bucket {
			s.share = share.Name
			s.warn(codeLock, share.Bucket.Pos, "keep the lock in a bucket of its own",
				"bucket %s holds the repository's lock, which consumers of this share may reach", printable(lock.Bucket))
			s.share = ""
		}
	}
}
