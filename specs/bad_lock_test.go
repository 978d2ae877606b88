package specs

func lock(of string) files { return repo("  accounts:", "  lock: "+of+"\n  accounts:") }

// badLocks are errors in the repository's lock.
var badLocks = []badCase{
	{"lock as a text", lock("acme-locks"), `
xshare.yaml:8:9: lock is the text "acme-locks": write a mapping with the fields of lock`},
	{"lock without bucket and account", lock("{expires: 1h}"), `
xshare.yaml:8:9: lock has no field "account": add account
xshare.yaml:8:9: lock has no field "bucket": add bucket`},
	{"lock with an unknown field", lock("{bucket: acme-locks, account: lake, expire: 1h}"), `
xshare.yaml:8:45: lock has no field "expire": did you mean "expires"?`},
	{"lock in an unknown account", lock("{bucket: acme-locks, account: lak}"), `
xshare.yaml:8:39: account "lak" is not in xshare.yaml: did you mean "lake"?`},
	{"lock in a partner's account", lock("{bucket: acme-locks, account: partner}"), `
xshare.yaml:8:39: account partner has manage: false, so no lock can be written there: keep the lock in an account of yours`},
	{"lock in a bucket with a bad name", lock("{bucket: Locks, account: lake}"), `
xshare.yaml:8:18: the bucket name "Locks" has characters other than a-z, 0-9, '.' and '-': take them out; S3 has no upper case and no '_'`},
	{"lock in a bad region", lock("{bucket: acme-locks, account: lake, region: moon}"), `
xshare.yaml:8:53: "moon" is no region of AWS's commercial, China or GovCloud partition: write one such as us-east-1`},
	{"lock whose life is a number", lock("{bucket: acme-locks, account: lake, expires: 60}"), `
xshare.yaml:8:54: expires must be a text and YAML reads the number 60: write it in quotes: "60"`},
	{"lock whose life is no duration", lock("{bucket: acme-locks, account: lake, expires: soon}"), `
xshare.yaml:8:54: expires "soon" is no duration: write one such as 1h or 30m`},
	{"lock whose life is too short", lock("{bucket: acme-locks, account: lake, expires: 1s}"), `
xshare.yaml:8:54: expires "1s" is not between 10s and 24h: write one such as 1h or 30m`},
	{"lock whose life is too long", lock("{bucket: acme-locks, account: lake, expires: 48h}"), `
xshare.yaml:8:54: expires "48h" is not between 10s and 24h: write one such as 1h or 30m`},
	{"lock in a bucket that is shared", lock("{bucket: sales-data, account: lake}"), `
shares/sales.yaml:7:11: warning: bucket sales-data holds the repository's lock, which consumers of this share may reach: keep the lock in a bucket of its own`},
}
