package campaign

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/xshare/xshare/internal/sandbox"
	"github.com/xshare/xshare/specs"
)

// The accounts: of two that own buckets, the second has roles too; and who runs
// the organization.
const (
	lake       = key
	analytics  = "222222222222"
	apps       = "333333333333"
	management = "999999999999"
)

// The roles of shares, and those that no share names.
const (
	reader   = "arn:aws:iam::" + analytics + ":role/reader"     // of a function
	worker   = "arn:aws:iam::" + analytics + ":role/worker"     // of an instance
	own      = "arn:aws:iam::" + lake + ":role/own"             // in the bucket's account
	bound    = "arn:aws:iam::" + apps + ":role/team/bound"      // with a boundary; its account may assume it
	stranger = "arn:aws:iam::" + analytics + ":role/stranger"   // its own policies let it do all with the buckets
	deployer = "arn:aws:iam::" + lake + ":role/xshare-deployer" // which reads the bucket's account

	ann = "arn:aws:iam::" + analytics + ":user/ann" // of a group; the bucket policies name her
	bob = "arn:aws:iam::" + lake + ":user/bob"      // of the buckets' account; nothing names him
)

// The buckets.
const (
	dataBucket = "truth-data"
	keysBucket = "truth-keys" // with a key of KMS, mostly
	farBucket  = "truth-far"  // of another account, and another region
)

var (
	truthBuckets = []string{dataBucket, keysBucket, farBucket}
	ownerOf      = map[string]string{dataBucket: lake, keysBucket: lake, farBucket: apps}
	regionOf     = map[string]string{dataBucket: "us-east-1", keysBucket: "us-east-1", farBucket: "eu-west-1"}
	shareRoles   = []string{reader, worker, own, bound}

	truthPrefixes = []string{"", "incoming/", "team/a/"}
	suffixes      = []string{"a.txt", "b/c.csv", "secret/d", "x.tmp", "2026-01/e", "sp ace+ü%.txt"}
	truthKeys     = allKeys()
)

// allKeys are those of the objects in each bucket: some under each prefix, and
// one that is named as the prefix itself.
func allKeys() (list []string) {
	for _, prefix := range truthPrefixes {
		if prefix != "" {
			list = append(list, prefix)
		}
		for _, suffix := range suffixes {
			list = append(list, prefix+suffix)
		}
	}
	return list
}

// sessionNames are those of the sessions of each role: policies may name the
// first, and never the second.
var sessionNames = []string{"alice", "zoe"}

const truthRepository = `apiVersion: xshare/v1
kind: Repository
metadata: {name: truth}
spec:
  region: us-east-1
  deployRole: xshare-deployer
  accounts:
    lake: {id: "111111111111"}
    analytics: {id: "222222222222"}
    apps: {id: "333333333333", region: eu-west-1}
    management: {id: "999999999999"}
`

const boundTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + apps + `","Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

var (
	truthAccess = []string{"list", "read", "read", "write", "[read, write]", "[read, write, delete]", "[list, delete]", "full"}
	truthLimits = []string{"", "", "incoming/", "team/a/", "incoming/, team/a/"}
)

// truthSpecs are the shares of a base.
func truthSpecs(r *rand.Rand) fstest.MapFS {
	may := func() string {
		access, prefixes := pick(r, truthAccess), pick(r, truthLimits)
		if prefixes == "" || access == "full" {
			return "access: " + access
		}
		return "access: " + access + ", prefixes: [" + prefixes + "]"
	}
	share := func(bucket, account string, consumers ...string) string {
		text := "apiVersion: xshare/v1\nkind: Share\nmetadata: {name: " + bucket + "}\nspec:\n  bucket: {name: " + bucket + ", account: " + account + ", create: true}\n  consumers:\n"
		for _, c := range consumers {
			text += "    - {" + c + ", " + may() + "}\n"
		}
		return text
	}
	const (
		ofReader = "account: analytics, role: {name: reader, create: true, trust: lambda}"
		ofWorker = "account: analytics, role: {name: worker, create: true, trust: ec2}, instances: [{name: client, subnet: subnet-1234, securityGroups: [sg-1234]}]"
		ofOwn    = "account: lake, role: {name: own, create: true, trust: lambda}"
		ofBound  = "account: apps, role: {name: team/bound, create: true, trustPolicy: bound.json, permissionsBoundary: edge}"
	)
	return fstest.MapFS{
		"xshare.yaml":      {Data: []byte(truthRepository)},
		"bound.json":       {Data: []byte(boundTrust)},
		"shares/data.yaml": {Data: []byte(share(dataBucket, "lake", ofReader, ofWorker, ofOwn))},
		"shares/keys.yaml": {Data: []byte(share(keysBucket, "lake", ofReader, ofBound, ofOwn))},
		"shares/far.yaml":  {Data: []byte(share(farBucket, "apps", ofWorker, ofBound))},
	}
}

// base is an embedded AWS in which some shares work, to start from.
type base struct {
	number      int
	repo        *specs.Repository
	state       []byte
	keys        map[string]string // ARN of the key of each bucket that has one
	spare       string            // a key of the lake account that no bucket has
	sessions    map[string]signer // by role ARN and session name
	users       map[string]signer // by ARN
	instance    string
	root        string            // of the organization; empty: there is none
	units       map[string]string // by account
	organizedBy string            // the organization's id
}

// truthBases are how many bases there are.
const truthBases = 12

// bases makes each of them once.
type bases struct{ list [truthBases]func() *base }

func newBases(t *testing.T) *bases {
	b := &bases{}
	for i := range b.list {
		b.list[i] = sync.OnceValue(func() *base { return newBase(t, i) })
	}
	return b
}

// started is when all of these worlds begin.
var started = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// instant is a clock on which no wait takes time.
type instant struct {
	mu  sync.Mutex
	now time.Time
}

func (c *instant) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *instant) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(0, d))
	return ctx.Err()
}

func newBase(t *testing.T, number int) *base {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(number), 1))
	repo, problems := specs.Load(truthSpecs(r))
	if err := specs.Errors(problems); err != nil {
		t.Fatal(err)
	}
	b := &base{number: number, repo: repo, keys: map[string]string{}, sessions: map[string]signer{}, users: map[string]signer{}, units: map[string]string{}}
	path := filepath.Join(t.TempDir(), "state.json")
	clock := &instant{now: started}
	w := newWorld(t, repo, nil, sandbox.Options{StatePath: path, Clock: startedClock})
	w.clock = clock
	if a := w.apply(t, repo); !a.succeeded() {
		t.Fatalf("apply of base %d:\n  %s", number, few(a.why()))
	}
	b.encrypt(t, w)
	b.addOthers(t, w)
	if number%2 == 0 {
		b.organize(t, w)
	}
	for _, arn := range append([]string{stranger, deployer}, shareRoles...) {
		for _, session := range sessionNames {
			b.sessions[arn+"/"+session] = w.assume(t, arn, session)
		}
	}
	w.putObjects(truthBuckets...)
	b.instance = w.query(analytics, "ec2", "DescribeInstances").element("instanceId")
	w.advance(t)
	w.close(t)
	var err error
	if b.state, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return b
}

// advance lets a minute pass: what was pending runs.
func (w *world) advance(t tb) {
	t.Helper()
	must(t, "clock", w.send(sent{method: http.MethodPost, path: "/_sandbox/clock", body: `{"advance": "1m"}`}))
}

// encrypt gives buckets keys that both sides let their roles use.
func (b *base) encrypt(t tb, w *world) {
	t.Helper()
	newKey := func(account, region string) string {
		return must(t, "CreateKey", w.object(account, "kms", region, "CreateKey", map[string]any{})).field("KeyMetadata", "Arn")
	}
	b.spare = newKey(lake, "us-east-1")
	for i, bucket := range []string{keysBucket, farBucket} {
		owner := ownerOf[bucket]
		switch {
		case i == 0 && b.number%4 == 3, i == 1 && b.number%3 > 0:
			continue
		case i == 0 && b.number%4 == 2:
			owner = apps // a key of another account than the bucket's
		}
		arn := newKey(owner, regionOf[bucket])
		b.keys[bucket] = arn
		roles := map[string][]string{keysBucket: {reader, bound, own}, farBucket: {worker, bound}}[bucket]
		text := newPolicy(
			map[string]any{"Sid": "Account", "Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + owner + ":root"}, "Action": "kms:*", "Resource": "*"},
			map[string]any{"Sid": "Roles", "Effect": "Allow", "Principal": map[string]any{"AWS": roles}, "Action": []string{"kms:Decrypt", "kms:GenerateDataKey"}, "Resource": "*"},
			map[string]any{"Sid": "Owner", "Effect": "Allow", "Principal": map[string]any{"AWS": ownerOf[bucket]}, "Action": []string{"kms:Decrypt", "kms:GenerateDataKey*"}, "Resource": "*"},
			map[string]any{"Sid": "Users", "Effect": "Allow", "Principal": map[string]any{"AWS": analytics}, "Action": []string{"kms:Decrypt", "kms:GenerateDataKey*"}, "Resource": "*"},
		).String()
		must(t, "PutKeyPolicy", w.object(owner, "kms", regionOf[bucket], "PutKeyPolicy", map[string]any{"KeyId": arn, "PolicyName": "default", "Policy": text}))
		for _, role := range roles {
			w.putRolePolicy(t, role, "keys-"+bucket, newPolicy(map[string]any{"Effect": "Allow", "Action": []string{"kms:Decrypt", "kms:GenerateDataKey"}, "Resource": arn}).String())
		}
		must(t, "PutBucketEncryption", w.encryptBy(bucket, "aws:kms", arn, b.number%5 == 0))
	}
}

// encryptBy sets a bucket's default encryption.
func (w *world) encryptBy(bucket, algorithm, key string, bucketKey bool) answer {
	body := "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>" + algorithm + "</SSEAlgorithm>"
	if key != "" {
		body += "<KMSMasterKeyID>" + key + "</KMSMasterKeyID>"
	}
	body += fmt.Sprintf("</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>%t</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>", bucketKey)
	return w.s3(admin(ownerOf[bucket]), http.MethodPut, bucket+"?encryption", body)
}

func accountOf(arn string) string { return strings.Split(arn, ":")[4] }

func nameOf(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

func (w *world) putRolePolicy(t tb, role, name, text string) {
	t.Helper()
	must(t, "PutRolePolicy", w.query(accountOf(role), "iam", "PutRolePolicy", "RoleName", nameOf(role), "PolicyName", name, "PolicyDocument", text))
}

// addOthers makes what is there beside the shares.
func (b *base) addOthers(t tb, w *world) {
	t.Helper()
	must(t, "CreateRole", w.query(analytics, "iam", "CreateRole", "RoleName", nameOf(stranger), "AssumeRolePolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+analytics+`"},"Action":"sts:AssumeRole"}]}`))
	w.putRolePolicy(t, stranger, "all", newPolicy(map[string]any{"Effect": "Allow", "Action": []string{"s3:*", "kms:*"}, "Resource": "*"}).String())
	must(t, "TagRole", w.query(analytics, "iam", "TagRole", "RoleName", nameOf(reader), "Tags.member.1.Key", "team", "Tags.member.1.Value", "analytics"))
	must(t, "CreateGroup", w.query(analytics, "iam", "CreateGroup", "GroupName", "readers"))
	must(t, "PutGroupPolicy", w.query(analytics, "iam", "PutGroupPolicy", "GroupName", "readers", "PolicyName", "read", "PolicyDocument",
		newPolicy(map[string]any{"Effect": "Allow", "Action": []string{"s3:GetObject", "s3:ListBucket", "kms:Decrypt"}, "Resource": "*"}).String()))
	for _, user := range []string{ann, bob} {
		b.users[user] = w.newUser(t, user)
	}
	must(t, "PutUserPolicy", w.query(lake, "iam", "PutUserPolicy", "UserName", nameOf(bob), "PolicyName", "own", "PolicyDocument",
		newPolicy(map[string]any{"Effect": "Allow", "Action": []string{"s3:Get*", "s3:PutObject", "s3:List*", "kms:*"}, "Resource": "*"}).String()))
	for _, bucket := range truthBuckets {
		w.addForeign(t, ownerOf[bucket], bucket, `{"Sid":"Ann","Effect":"Allow","Principal":{"AWS":"`+ann+`"},"Action":["s3:GetObject","s3:ListBucket","s3:PutObject"],"Resource":["arn:aws:s3:::`+bucket+`","arn:aws:s3:::`+bucket+`/*"]}`)
	}
	must(t, "AddUserToGroup", w.query(analytics, "iam", "AddUserToGroup", "GroupName", "readers", "UserName", nameOf(ann)))
}

// newUser makes a user, and a key of it.
func (w *world) newUser(t tb, arn string) signer {
	t.Helper()
	must(t, "CreateUser", w.query(accountOf(arn), "iam", "CreateUser", "UserName", nameOf(arn)))
	return signer{key: must(t, "CreateAccessKey", w.query(accountOf(arn), "iam", "CreateAccessKey", "UserName", nameOf(arn))).element("AccessKeyId")}
}

// organize makes an organization of all accounts, each in a unit of its own.
func (b *base) organize(t tb, w *world) {
	t.Helper()
	call := func(account, operation string, in map[string]any) answer {
		return must(t, operation, w.object(account, "organizations", "", operation, in))
	}
	b.organizedBy = call(management, "CreateOrganization", map[string]any{"FeatureSet": "ALL"}).field("Organization", "Id")
	b.root = call(management, "ListRoots", map[string]any{}).field("Roots", "Id")
	for _, kind := range []string{scpType, rcpType} {
		call(management, "EnablePolicyType", map[string]any{"RootId": b.root, "PolicyType": kind})
	}
	for _, account := range []string{lake, analytics, apps} {
		invited := call(management, "InviteAccountToOrganization", map[string]any{"Target": map[string]any{"Id": account, "Type": "ACCOUNT"}})
		call(account, "AcceptHandshake", map[string]any{"HandshakeId": invited.field("Handshake", "Id")})
		b.units[account] = call(management, "CreateOrganizationalUnit", map[string]any{"ParentId": b.root, "Name": "of-" + account}).field("OrganizationalUnit", "Id")
		call(management, "MoveAccount", map[string]any{"AccountId": account, "SourceParentId": b.root, "DestinationParentId": b.units[account]})
	}
}

const (
	scpType = "SERVICE_CONTROL_POLICY"
	rcpType = "RESOURCE_CONTROL_POLICY"
)

// assume gives credentials of a role, also of one that only a service may
// assume: its trust policy is another for that moment. Without a key: its
// administrator may not.
func (w *world) assume(t tb, role, session string) signer {
	t.Helper()
	account := accountOf(role)
	live := w.query(account, "iam", "GetRole", "RoleName", nameOf(role))
	put := func(text string) answer {
		return w.query(account, "iam", "UpdateAssumeRolePolicy", "RoleName", nameOf(role), "PolicyDocument", text)
	}
	if !live.ok() || !put(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole"}}`).ok() {
		return signer{}
	}
	got := w.query(account, "sts", "AssumeRole", "RoleArn", role, "RoleSessionName", session)
	if !got.ok() && account != lake { // what keeps the account from roles does not keep another
		put(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + lake + `"},"Action":"sts:AssumeRole"}}`)
		got = w.query(lake, "sts", "AssumeRole", "RoleArn", role, "RoleSessionName", session)
	}
	must(t, "UpdateAssumeRolePolicy", put(unescaped(t, live.element("AssumeRolePolicyDocument"))))
	return signer{got.element("AccessKeyId"), got.element("SessionToken")}
}

// putObjects writes all objects of buckets as their owners, so that they have
// the bucket's key. It returns the buckets of which it could not.
func (w *world) putObjects(buckets ...string) map[string]bool {
	refused := map[string]bool{}
	for _, bucket := range buckets {
		for _, k := range truthKeys {
			if !w.s3(admin(ownerOf[bucket]), http.MethodPut, objectPath(bucket, k), "test\n").ok() {
				refused[bucket] = true
			}
		}
	}
	return refused
}

func startedClock() time.Time { return started }
